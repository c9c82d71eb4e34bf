#!/bin/sh
# GuideLLM (0.8 and later) against llmsim, in the place of a vLLM server: as many streams at once as STREAMS says.
#
#     llmsim serve --latency-profile llama-8b-h100 --served-model meta-llama/Llama-3.1-8B-Instruct
#     pip install 'guidellm>=0.8'
#     sh examples/load/guidellm.sh
#
# It takes the first model that /v1/models lists. PROCESSOR is the tokenizer by which it makes its prompts: a folder
# (make_tokenizer.py makes one), or a name on Hugging Face. Each reply has exactly OUTPUT tokens, by `ignore_eos`.
set -eu
BASE=${BASE:-http://127.0.0.1:8080}
guidellm run \
  --backend "kind=openai_http,target=$BASE,request_format=/v1/chat/completions" \
  --profile "kind=concurrent,streams=${STREAMS:-8}" \
  --constraint "kind=max_requests,count=${REQUESTS:-100}" \
  --tokenizer "kind=hf_auto,model=${PROCESSOR:-gpt2}" \
  --data "{\"kind\": \"synthetic_text\", \"prompt_tokens\": 256, \"output_tokens\": ${OUTPUT:-64}}" \
  "$@"
