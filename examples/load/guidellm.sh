#!/bin/sh
# GuideLLM (0.8 and later) against llmsim: as many streams at once as STREAMS says, for SECONDS_EACH seconds.
#
#     llmsim serve --latency-profile llama-8b-h100 --port 8080     # a profile whose times grow with its load
#     pip install 'guidellm>=0.8'
#     sh examples/load/guidellm.sh
#
# PROCESSOR is the tokenizer by which GuideLLM makes its prompts: a folder (make_tokenizer.py makes one), or a name on
# Hugging Face. GuideLLM 0.8 asks for parameters of vLLM's own, which llmsim refuses as OpenAI does: docs/recipes tells.
set -eu
BASE=${BASE:-http://127.0.0.1:8080}
guidellm run \
  --backend "kind=openai_http,target=$BASE,model=${MODEL:-gpt-4o},request_format=/v1/chat/completions,max_tokens=64" \
  --profile "kind=concurrent,streams=${STREAMS:-8}" \
  --constraint "kind=max_duration,seconds=${SECONDS_EACH:-20}" \
  --tokenizer "kind=hf_auto,model=${PROCESSOR:-gpt2}" \
  --data '{"kind": "synthetic_text", "prompt_tokens": 256, "output_tokens": null}' \
  "$@"
