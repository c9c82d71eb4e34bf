# llmsim in a container: built in one stage, run in another that has neither pip's cache nor the sources.
#
#     docker build -t llmsim .
#     docker run --rm --read-only -p 127.0.0.1:8080:8080 llmsim
#
# docs/docker.md tells the rest.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
RUN python -m venv /opt/llmsim
ENV PATH=/opt/llmsim/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# What it depends on, in a layer of its own that stays while pyproject.toml does: the package itself is empty there.
COPY pyproject.toml README.md LICENSE ./
# hadolint ignore=DL3013
RUN mkdir -p llmsim tui/llmsim_tui themes \
 && echo '__version__ = "0"' > llmsim/__init__.py \
 && touch tui/llmsim_tui/__init__.py themes/none.yaml \
 && pip install '.[cluster,otel]' \
 && pip uninstall --yes llmsim
COPY llmsim llmsim
COPY tui tui
COPY themes themes
RUN pip install --no-deps . \
 && python -m compileall -q /opt/llmsim/lib \
 && llmsim --version

FROM python:${PYTHON}-slim
LABEL org.opencontainers.image.title="llmsim" \
      org.opencontainers.image.description="Simulates the OpenAI, Anthropic and Gemini APIs, with no model behind it" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 llmsim \
 && useradd --system --uid 10001 --gid llmsim --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin llmsim
COPY --from=build /opt/llmsim /opt/llmsim
ENV PATH=/opt/llmsim/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LLMSIM_HOST=0.0.0.0 \
    LLMSIM_PORT=8080
# A file llmsim.yaml that is mounted here is found by itself.
WORKDIR /config
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['LLMSIM_PORT']), timeout=2); c.request('GET', '/ready'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["llmsim"]
CMD ["serve"]
