#!/bin/sh
# GuideLLM against llmsim: a sweep from one request at a time to all at once, which finds the knee of a loaded profile.
#
#     llmsim serve --latency-profile llama-8b-h100 --port 8080     # a profile whose times grow with its load
#     pip install guidellm
#     sh examples/load/guidellm.sh
#
# PROCESSOR is the tokenizer by which GuideLLM makes its prompts: a folder, or a name on Hugging Face.
set -eu
BASE=${BASE:-http://127.0.0.1:8080}
guidellm benchmark \
  --target "$BASE" \
  --model "${MODEL:-llama3.1}" \
  --processor "${PROCESSOR:-gpt2}" \
  --profile "${PROFILE:-sweep}" \
  --max-seconds "${SECONDS_EACH:-20}" \
  --data '{"prompt_tokens": 256, "output_tokens": 64}' \
  "$@"
