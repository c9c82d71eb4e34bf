#!/bin/sh
# vLLM's own load generator against llmsim, in the place of a vLLM server.
#
#     llmsim serve --latency-profile llama-70b-2xh100 --port 8000 --served-model llama3.1
#     pip install vllm
#     sh examples/load/vllm_bench.sh
#
# `pip install vllm` brings gigabytes for a GPU, none of which a load generator needs. Without them, in an environment
# of its own, as it ran here (vllm 0.33, torch 2.13+cpu; a warning that vllm._C is missing means nothing):
#
#     pip install torch --index-url https://download.pytorch.org/whl/cpu
#     pip install --no-deps vllm
#     python - > needed.txt <<'EOF'
#     import re, importlib.metadata
#     gpu = "(?i)torch|nv|pynv|flashinfer|tilelang|fastsafetensors|instanttensor|quack|tokenspeed|humming|apache"
#     needed = [one for one in importlib.metadata.requires("vllm") if "extra ==" not in one and not re.match(gpu, one)]
#     print(*needed, sep="\n")
#     EOF
#     pip install -r needed.txt
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
