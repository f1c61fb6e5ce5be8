"""Classifiers over words and characters: fastText, and TF-IDF with logistic regression. Each is trained here and has `predict(texts)`."""

import re


def macro_f1(gold, predicted, labels):
    scores = []
    for label in labels:
        hits = sum(g == p == label for g, p in zip(gold, predicted))
        scores.append(2 * hits / max(gold.count(label) + predicted.count(label), 1))
    return sum(scores) / len(scores)


def words(text):
    return re.sub(r"(\W)", r" \1 ", re.sub(r"\s+", " ", text.lower())).strip() or "."


class FastText:
    """Word bigrams and character 2- to 5-grams."""

    def __init__(self, rows, folder):
        import fasttext

        path = folder / "fasttext.txt"
        with open(path, "w", encoding="utf-8") as out:
            out.writelines(f"__label__{row['label']} {words(row['text'])}\n" for row in rows)
        # One thread: training depends on the order in which threads update the weights.
        self.model = fasttext.train_supervised(
            str(path), wordNgrams=2, minn=2, maxn=5, dim=50, epoch=15, lr=0.3, bucket=500_000, thread=1, verbose=0
        )

    def predict(self, texts):
        labels = self.model.predict([words(text) for text in texts])[0]
        return [label[0].removeprefix("__label__") for label in labels]


class TfIdf:
    """Word uni- and bigrams and character 2- to 5-grams, logistic regression."""

    def __init__(self, rows):
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        features = make_union(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=200_000),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, max_features=200_000),
        )
        regression = LogisticRegression(C=8, class_weight="balanced", max_iter=200)
        self.model = make_pipeline(features, regression)
        self.model.fit([row["text"] for row in rows], [row["label"] for row in rows])

    def predict(self, texts):
        return self.model.predict(texts).tolist()
