"""What building and measuring share."""

import json

# Tokens of a text with [CLS] and [SEP]; longer ones are cut, by every engine.
LONGEST = 256

LABELS = ["reporting", "opinion", "comment_spam", "quotation", "other"]


def load_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def load_texts(path):
    return [row["text"] for row in load_rows(path)]


def load_tokenizer(models):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(models / "copydesk" / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    return tokenizer
