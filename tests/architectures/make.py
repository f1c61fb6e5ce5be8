"""Makes a tiny classifier of each architecture, with random weights, and what the reference says of some texts.

    pip install -r tests/architectures/requirements.txt
    python tests/architectures/make.py

writes a folder for each architecture beside this file: `config.json`, `tokenizer.json`, `model.safetensors`, and
`reference.json` with the token ids and the logits that transformers gives for each text, each text alone. Tokenizers are
trained on `data/pages`. Their trainers break ties by chance, so another run gives other vocabularies and other logits; weights have a
fixed seed.
"""

import base64
import json
import shutil
import tempfile
from pathlib import Path

import sentencepiece
import torch
import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent
PAGES = sorted((HERE / "../../data/pages").glob("*.txt"))
LABELS = ["Sach-Lage", "own view?", "ça & là", "0", "spam", "a/b"]
POSITIONS = 96

TEXTS = [
    "",
    "The bakery will close at the end of the month.",
    "Oh boo hoo.   Put the price of a loaf up\tand stop  whining!",
    "   ",
    "Thanks \U0001F600\U0001F468\u200d\U0001F469\u200d\U0001F467 so much \u2764\ufe0f!!!",
    "أغلق المخبز أبوابه في نهاية الشهر.",
    "市議会は新しい図書館の建設を決めました。",
    "[CLS] one [SEP] two [PAD] <s> three </s> four <pad> [MASK] <mask> <unk>",
    "Crème brûlée, naïve façade, ÅNGSTRÖM, ﬁne, ½, İstanbul\u00a0and\u3000more",
    "http://site.example/a?b=c&d=%20 a@b.example 1,234.56 $9.99 #tag",
    "don't can't it's I'll you've we'd",
    "It was a long meeting, and the council voted late, and nobody liked the plan, and so on and so on.",
]

SPECIAL_BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SPECIAL_ROBERTA = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def template(tokenizer, first, last):
    return processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (first, last)],
    )


def files():
    return [str(page) for page in PAGES]


def wordpiece(special=SPECIAL_BERT, first="[CLS]", last="[SEP]", lowercase=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train(files(), trainers.WordPieceTrainer(vocab_size=240, special_tokens=special, show_progress=False))
    tokenizer.post_processor = template(tokenizer, first, last)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def byte_bpe(special, first, last, roberta=True, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train(files(), trainers.BpeTrainer(
        vocab_size=330, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    ids = [(token, tokenizer.token_to_id(token)) for token in (last, first)]
    tokenizer.post_processor = processors.RobertaProcessing(*ids, add_prefix_space=False) if roberta else template(tokenizer, first, last)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def charsmap():
    """A map of a few characters as sentencepiece compiles it: its own for NFKC has 300 kB."""
    rules = {"ﬁ": "fi", "½": "1/2", "\u3000": " ", "\u00a0": " ", "\u200d": "", "！": "!"}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "text").write_text("\n".join(page.read_text(errors="replace") for page in PAGES))
        code = lambda text: " ".join(f"{ord(c):X}" for c in text)
        (folder / "rules").write_text("".join(f"{code(old)}\t{code(new)}\n" for old, new in rules.items()))
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "text"), model_prefix=str(folder / "m"), vocab_size=150, minloglevel=2,
            normalization_rule_tsv=str(folder / "rules"))
        model = sentencepiece_model_pb2.ModelProto.FromString((folder / "m.model").read_bytes())
        return model.normalizer_spec.precompiled_charsmap


def unigram(special, first, last, unknown, split_first):
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.Precompiled(charsmap()), normalizers.Replace(Regex(" {2,}"), " ")]
    if split_first:
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    else:
        steps = [normalizers.Strip()] + steps
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.train(files(), trainers.UnigramTrainer(
        vocab_size=260, special_tokens=special, unk_token=unknown, show_progress=False))
    tokenizer.post_processor = template(tokenizer, first, last)
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def randomise(model):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape)
            norm = "norm" in name.lower()
            if name.endswith("bias"):
                parameter.copy_(0.1 * noise)
            elif norm and parameter.dim() == 1:
                parameter.copy_(1.0 + 0.1 * noise)
            else:
                parameter.copy_((0.5 if "embedding" in name else 0.25) * noise)


def text_is_text(path):
    """The tokenizer, for which special tokens in a text are plain characters.

    With Unigram the library finds them in a text even so, because they are entries of its vocabulary; SentencePiece, where such
    models come from, does not. So they get names that no text has.
    """
    file = json.loads(path.read_text())
    if file["model"]["type"] == "Unigram":
        special = {token["content"] for token in file["added_tokens"] if token["special"]}
        for number, entry in enumerate(file["model"]["vocab"]):
            if entry[0] in special:
                entry[0] = f"\uffff {number}"
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.encode_special_tokens = True
    return tokenizer


def write(name, tokenizer, model_class, config_class, change=None, **sizes):
    torch.manual_seed(len(name) * 1009 + sum(map(ord, name)))
    common = {
        "vocab_size": tokenizer.get_vocab_size(),
        "id2label": dict(enumerate(LABELS)),
        "label2id": {label: number for number, label in enumerate(LABELS)},
    }
    config = config_class(**{**common, **sizes})
    config._attn_implementation = "eager"
    model = model_class(config).eval()
    randomise(model)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    if change:
        path = folder / "config.json"
        stored = json.loads(path.read_text())
        change(stored)
        path.write_text(json.dumps(stored, indent=2) + "\n")
    reference = text_is_text(folder / "tokenizer.json")
    # What is stored is what is read back and run.
    model = model_class.from_pretrained(folder, attn_implementation="eager").eval()
    rows = []
    for text in TEXTS:
        ids = reference.encode(text).ids
        assert len(ids) <= 90, (name, text, len(ids))
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits
        rows.append({"text": text, "ids": ids, "logits": logits[0].tolist()})
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / "reference.json").write_text(f"[\n{lines}\n]\n")
    for extra in ("generation_config.json",):
        (folder / extra).unlink(missing_ok=True)
    size = sum(path.stat().st_size for path in folder.iterdir())
    spread = torch.tensor([row["logits"] for row in rows]).std(dim=0)
    print(f"{name}: {size / 1000:.0f} kB, spread of logits over texts {[round(value, 2) for value in spread.tolist()]}")


BERT = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=POSITIONS)
ROBERTA = dict(BERT, max_position_embeddings=POSITIONS + 2, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2)


def main():
    t = transformers
    bert = wordpiece()
    write("bert", bert, t.BertForSequenceClassification, t.BertConfig, **BERT)
    write("bert-gelu-new", bert, t.BertForSequenceClassification, t.BertConfig, **BERT, hidden_act="gelu_new")
    write("distilbert", wordpiece(lowercase=False), t.DistilBertForSequenceClassification, t.DistilBertConfig,
          dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=POSITIONS)
    write("electra", bert, t.ElectraForSequenceClassification, t.ElectraConfig, **BERT, embedding_size=32)
    write("electra-small", bert, t.ElectraForSequenceClassification, t.ElectraConfig, **BERT, embedding_size=16)
    roberta = byte_bpe(SPECIAL_ROBERTA, "<s>", "</s>")
    write("roberta", roberta, t.RobertaForSequenceClassification, t.RobertaConfig, **ROBERTA)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    xlm = unigram([*special, "<mask>"], "<s>", "</s>", "<unk>", True)
    write("xlm-roberta", xlm, t.XLMRobertaForSequenceClassification, t.XLMRobertaConfig, **ROBERTA)
    write("camembert", xlm, t.CamembertForSequenceClassification, t.CamembertConfig, **ROBERTA)
    mpnet = wordpiece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"], "<s>", "</s>")
    write("mpnet", mpnet, t.MPNetForSequenceClassification, t.MPNetConfig,
          **dict(BERT, max_position_embeddings=POSITIONS + 2), relative_attention_num_buckets=32)
    deberta = unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[CLS]", "[SEP]", "[UNK]", False)
    write("deberta-v3", deberta, t.DebertaV2ForSequenceClassification, t.DebertaV2Config, **BERT,
          relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True,
          pos_att_type="p2c|c2p", position_biased_input=False, type_vocab_size=0, max_relative_positions=-1)
    write("deberta-v2", deberta, t.DebertaV2ForSequenceClassification, t.DebertaV2Config, **BERT,
          relative_attention=True, share_att_key=False, pos_att_type=["c2p", "p2c"], position_biased_input=True,
          type_vocab_size=2, max_relative_positions=12, pooler_hidden_act="tanh")
    modern = byte_bpe(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"], "[CLS]", "[SEP]", False, normalizers.NFC())
    modern.add_tokens(["  ", "   "])
    sizes = dict(BERT, num_hidden_layers=3, intermediate_size=32, local_attention=8)
    ids = dict(pad_token_id=3, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)
    write("modernbert", modern, t.ModernBertForSequenceClassification, t.ModernBertConfig, **sizes, **ids,
          classifier_pooling="mean")

    def as_of_2024(config):
        del config["layer_types"], config["rope_parameters"]
        config.update(global_attn_every_n_layers=2, global_rope_theta=160000.0, local_rope_theta=10000.0)

    write("modernbert-cls", modern, t.ModernBertForSequenceClassification, t.ModernBertConfig, as_of_2024, **sizes, **ids,
          classifier_pooling="cls", attention_bias=True, norm_bias=True, mlp_bias=True, classifier_bias=True)
    write("albert", wordpiece(), t.AlbertForSequenceClassification, t.AlbertConfig, **BERT, embedding_size=16,
          pad_token_id=0, bos_token_id=2, eos_token_id=3)


main()
