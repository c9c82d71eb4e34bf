#!/bin/sh
# hey, ab, wrk and autocannon against llmsim: one request again and again, for what a gateway or a network adds.
#
#     llmsim serve --latency-profile fast
#     apt install hey apache2-utils wrk; npm install -g autocannon
#     TOOL=hey sh examples/load/hey.sh
#
# They time whole replies: with `ignore_eos` each has 32 tokens, so that its length plays no part in what they tell.
set -eu
BASE=${BASE:-http://127.0.0.1:8080}
TOOL=${TOOL:-hey}
URL=$BASE/v1/chat/completions
SENT=$(mktemp -d)
trap 'rm -r "$SENT"' EXIT
echo '{"model": "llama", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32, "ignore_eos": true}' \
  > "$SENT/body.json"
case $TOOL in
hey) hey -n "${REQUESTS:-200}" -c 8 -m POST -T application/json -D "$SENT/body.json" "$URL" ;;
# -l: replies whose lengths differ are no failures
ab) ab -l -n "${REQUESTS:-200}" -c 8 -p "$SENT/body.json" -T application/json "$URL" ;;
wrk)
  cat > "$SENT/post.lua" << EOF
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open("$SENT/body.json"):read("*a")
EOF
  wrk -t 2 -c 8 -d 5s --latency -s "$SENT/post.lua" "$URL"
  ;;
autocannon) autocannon -c 8 -a "${REQUESTS:-200}" -m POST -H content-type:application/json -i "$SENT/body.json" "$URL" ;;
*) echo "TOOL: $TOOL is not known; there are hey, ab, wrk, autocannon" >&2; exit 2 ;;
esac
