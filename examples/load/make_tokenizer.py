"""Makes a small tokenizer, for load generators that want one where Hugging Face cannot be reached.

    pip install transformers
    python examples/load/make_tokenizer.py /tmp/tokenizer
    TOKENIZER=/tmp/tokenizer sh examples/load/aiperf.sh
    PROCESSOR=/tmp/tokenizer sh examples/load/guidellm.sh

It is trained on this repository's own texts: what it makes of English is near enough for prompts of a wanted length.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).resolve().parents[2]


def main(folder: str) -> None:
    """Trains it and writes the folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=4000, special_tokens=["<|end|>"], initial_alphabet=alphabet)
    tokenizer.train([str(path) for path in ROOT.rglob("*.md") if "node_modules" not in path.parts], trainer)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|end|>", eos_token="<|end|>", pad_token="<|end|>"
    ).save_pretrained(folder)
    Path(folder, "config.json").write_text('{"model_type": "gpt2"}\n')  # without it a folder is taken for a name


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tokenizer")
