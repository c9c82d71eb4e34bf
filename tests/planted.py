"""Secrets and personal data of more than fifty kinds, made up, as they stand in what people write."""

import base64

# Spelled in two pieces where a scanner of this repository might take them for real ones.
SECRETS = {
    "OpenAI": "sk-" + "4f9aB2kLmN0pQrStUvWx" + "T3BlbkFJ9zYxWvUtSrQpOnMl",
    "OpenAI project": "sk-proj-" + "Zk3_x9Lm-2PqRsTuVwXyZaBcDeFgHiJk",
    "OpenAI service account": "sk-svcacct-" + "Mn4vBc8xZq1wErTyUiOpAsDf",
    "Anthropic": "sk-ant-api03-" + "Yh7Uj8Ik9Ol0Pq1Wa2Sd3Ef4Rf5Tg6-AAAAAA",
    "Anthropic OAuth": "sk-ant-oat01-" + "Qa1Ws2Ed3Rf4Tg5Yh6Uj7Ik8",
    "OpenRouter": "sk-or-v1-" + "0123456789abcdef0123456789abcdef",
    "Google": "AIza" + "SyD4kQ7hZ1xW9vB3nM5cL8pR2tY6uE0iO",
    "Google OAuth": "ya29." + "a0AfH6SMBxYzWvUtSrQpOnMlKjIh",
    "Google refresh": "1//0" + "gKx9YzWvUtSrQpOnMlKjIhGfEd",
    "Google client secret": "GOCSPX-" + "x9YzWvUtSrQpOnMlKjIhGfEd",
    "AWS": "AKIA" + "Q7ZX4N2MWTYB6V3K",
    "AWS session": "ASIA" + "Q7ZX4N2MWTYB6V3L",
    "GitHub": "ghp_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA012345678",
    "GitHub server": "ghs_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA012345678",
    "GitHub fine-grained": "github_pat_" + "11ABCDEFG0x9YzWvUtSr_QpOnMlKjIhGfEdCbA",
    "GitLab": "glpat-" + "x9YzWvUtSrQpOnMlKjIh",
    "Slack bot": "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrSt",
    "Slack app": "xapp-" + "1-A0123456789-1234567890123-abcdef0123456789",
    "Slack hook": "https://hooks.slack.com/services/" + "T00AA1BB2/B00CC3DD4/x9YzWvUtSrQpOnMlKjIhGfEd",
    "Discord hook": "https://discord.com/api/webhooks/" + "123456789012345678/x9YzWvUtSrQpOnMlKjIhGfEdCbA",
    "Discord bot": "M" + "TIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.x9YzWvUtSrQpOnMlKjIhGfEdCbA012",
    "Telegram bot": "123456789:" + "AAx9YzWvUtSrQpOnMlKjIhGfEdCbA012345",
    "Stripe": "sk_live_" + "x9YzWvUtSrQpOnMlKjIhGfEd",
    "Stripe restricted": "rk_live_" + "x9YzWvUtSrQpOnMlKjIhGfEd",
    "Stripe hook": "whsec_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA01234",
    "SendGrid": "SG." + "x9YzWvUtSrQpOnMlKjIhGf.EdCbA0123456789x9YzWvUtSrQpOnMlKjIhGfEdCbA",
    "Twilio": "SK" + "0123456789abcdef0123456789abcdef",
    "Mailgun": "key-" + "0123456789abcdef0123456789abcdee",
    "Mailchimp": "0123456789abcdef0123456789abcdea" + "-us12",
    "npm": "npm_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA012345678",
    "PyPI": "pypi-" + "AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTkwYWI",
    "Hugging Face": "hf_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456",
    "Groq": "gsk_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456",
    "xAI": "xai-" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456",
    "Perplexity": "pplx-" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456",
    "Replicate": "r8_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456",
    "Databricks": "dapi" + "0123456789abcdef0123456789abcdef",
    "DigitalOcean": "dop_v1_" + "0123456789abcdef" * 4,
    "Vault": "hvs." + "CAESIx9YzWvUtSrQpOnMlKjIhGfEdCbA",
    "Linear": "lin_api_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456789xYz",
    "Notion": "ntn_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA0123456789xYz",
    "Shopify": "shpat_" + "0123456789abcdef0123456789abcdef",
    "Square": "sq0atp-" + "x9YzWvUtSrQpOnMlKjIhGf",
    "age": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE",
    "Postman": "PMAK-" + "0123456789abcdef01234567-0123456789abcdef0123456789abcdef01",
    "Grafana": "glsa_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA01234_0123abcd",
    "New Relic": "NRAK-" + "X9YZWVUTSRQPONMLKJIHGFEDCBA",
    "Tavily": "tvly-" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA01234",
    "Pinecone": "pcsk_" + "x9YzWv_UtSrQpOnMlKjIhGfEdCbA01234",
    "Tailscale": "tskey-auth-" + "kx9YzWvUtSCNTRL-rQpOnMlKjIhGfEd",
    "Docker": "dckr_pat_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA",
    "Atlassian": "ATATT3" + "xFfGF0x9YzWvUtSrQpOnMlKjIhGfEdCbA=01234567",
    "Figma": "figd_" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA-01234",
    "LangSmith": "lsv2_pt_" + "0123456789abcdef0123456789abcdef_0123456789",
    "NVIDIA": "nvapi-" + "x9YzWvUtSrQpOnMlKjIhGfEdCbA-0123456789",
    "JWT": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJqYW5lIn0.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
    "login in a URL": "postgres://jane:" + "c0rrecthorse@db.internal",
    "private key": "MIIEpAIBAAKCAQEA7bq3Kx9YzWvUtSrQpOnMlKjIhGfEdCbA0123456789x9YzW",
    "OpenSSH key": "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAA",
    "PGP key": "lQdGBGV8Kx9YzWvUtSrQpOnMlKjIhGfEdCbA0123456789x9YzWvUtSrQpOnMlK",
    "password": "Tr0ub4dor&3",
    "client secret": "Xy7~Q.mN4bV2cZ8xL0kJ",
    "AWS secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzZZZZZKEY",
    "Azure account": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==",
    "bearer": "dGhpcy1pcy1vcGFxdWUtdG9rZW4",
    "session token": "FwoGZXIvYXdzEBYaDKx9YzWvUtSrQpOn",
}

# How those are told that have no form of their own.
TOLD = {
    "private key": "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
    "OpenSSH key": "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----",
    "PGP key": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{}\n-----END PGP PRIVATE KEY BLOCK-----",
    "password": 'DB_PASSWORD="{}"',
    "client secret": "client_secret: {}",
    "AWS secret": "aws_secret_access_key = {}",
    "Azure account": "DefaultEndpointsProtocol=https;AccountKey={};EndpointSuffix=core",
    "bearer": "curl -H 'Authorization: Bearer {}'",
    "session token": "export AWS_SESSION_TOKEN={}",
}

PERSONS = {
    "mail": "jane.doe+news@example.co.uk",
    "mail with an umlaut": "jürgen.groß@beispiel.example.de",
    "phone abroad": "+49 171 1234567",
    "phone in the US": "(415) 555-2671",
    "phone in the US with dashes": "415-555-2672",
    "phone in Germany": "030 12345678",
    "phone in Britain": "020 7946 0958",
    "phone in France": "01 42 68 53 00",
    "Visa": "4111 1111 1111 1111",
    "Visa in one": "4012888888881881",
    "Mastercard": "5555-5555-5555-4444",
    "American Express": "3782 822463 10005",
    "Diners": "30569309025904",
    "IBAN": "DE89 3704 0044 0532 0130 00",
    "IBAN in one": "GB29NWBK60161331926819",
    "social security number": "536-22-8726",
    "ITIN": "912-70-1234",
    "IPv4": "203.0.113.77",
    "IPv6": "2001:db8:85a3::8a2e:370:7334",
    "MAC": "00:1B:44:11:3A:B7",
    "National Insurance": "AB 12 34 56 C",
    "NHS": "943 476 5870",
    "DNI": "54362315K",
    "NIE": "X-2482300-W",
    "NIR": "2 95 10 99 126 111 93",
    "codice fiscale": "RCCMNL83S18D969H",
    "CPF": "390.533.447-05",
    "Aadhaar": "2341 2341 2346",
    "PAN": "ACUPA7085R",
    "PESEL": "44051401359",
    "AHV": "756.9217.0769.85",
    "personnummer": "880320-0016",
    "CURP": "BOXW310820HNERXN09",
    "SIN": "123-456-782",
    "Steuer-ID": "36 574 261 809",
}

ALL = {**SECRETS, **PERSONS}


def told(kind):
    """The secret as it stands in a text."""
    return TOLD.get(kind, "{}").format(ALL[kind])


def hidden(kind):
    """What must not be found: the secret without what says only of what kind it is."""
    from llmsim import masks

    secret = ALL[kind]
    found = masks.KINDS.match(secret)
    if kind == "login in a URL":
        return "c0rrecthorse"
    if "hook" in kind and "/" in secret:
        return secret.rpartition("/")[2]
    return secret[found.end() :] if found and kind in SECRETS else secret


def shapes(secret):
    """The secret as it may stand in a file: as it is, in base64, without separators."""
    yield secret
    yield base64.b64encode(secret.encode()).decode().rstrip("=")
