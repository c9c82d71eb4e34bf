#!/bin/sh
# vLLM's own load generator against llmsim, in the place of a vLLM server.
#
#     llmsim serve --latency-profile llama-70b-2xh100 --port 8000 --served-model llama3.1
#     pip install vllm
#     sh examples/load/vllm_bench.sh
#
# TOKENIZER is the one by which it makes its prompts: a folder (make_tokenizer.py makes one), or a
# name on Hugging Face.
set -eu
BASE=${BASE:-http://127.0.0.1:8000}
vllm bench serve \
  --backend openai-chat \
  --base-url "$BASE" \
  --endpoint /v1/chat/completions \
  --model "${MODEL:-llama3.1}" \
  --tokenizer "${TOKENIZER:-gpt2}" \
  --dataset-name random \
  --random-input-len 256 \
  --random-output-len 64 \
  --ignore-eos \
  --request-rate "${RATE:-10}" \
  --num-prompts "${PROMPTS:-200}" \
  "$@"
