#!/bin/sh
# NVIDIA's AIPerf against llmsim, in the place of a vLLM server: streams at a fixed concurrency, with TTFT, time between
# tokens and throughput.
#
#     llmsim serve --latency-profile gpt4o --served-model meta-llama/Llama-3.1-8B-Instruct
#     pip install aiperf
#     sh examples/load/aiperf.sh
#
# TOKENIZER is the one by which AIPerf makes its prompts: a folder (make_tokenizer.py makes one), a name on Hugging Face,
# or `builtin`, which is OpenAI's. Tokens are those that the server tells; `ignore_eos` makes them exactly OUTPUT.
set -eu
BASE=${BASE:-http://127.0.0.1:8080}
aiperf profile \
  --url "$BASE" \
  --endpoint-type chat \
  --streaming \
  --model "${MODEL:-meta-llama/Llama-3.1-8B-Instruct}" \
  --tokenizer "${TOKENIZER:-builtin}" \
  --concurrency "${CONCURRENCY:-10}" \
  --request-count "${REQUESTS:-100}" \
  --synthetic-input-tokens-mean 100 \
  --output-tokens-mean "${OUTPUT:-60}" \
  --extra-inputs ignore_eos:true \
  --use-server-token-count \
  "$@"
