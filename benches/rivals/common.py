"""What building and measuring share."""

import json

# Tokens of a text with [CLS] and [SEP]; longer ones are cut, by every engine.
LONGEST = 256


def load_texts(path):
    with open(path) as lines:
        return [json.loads(line)["text"] for line in lines]


def load_tokenizer(models):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(models / "copydesk" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer
