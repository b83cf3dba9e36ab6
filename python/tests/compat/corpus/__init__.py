"""What is sent. Each file adds the cases of one subject."""

from compat.cases import Corpus
from compat.corpus import configurations, credentials, documents, proofs, tokens, urls

__all__ = ["configurations_of", "corpus_of"]

configurations_of = configurations.of


def corpus_of(world):
    corpus = Corpus()
    for subject in (credentials, tokens, proofs, urls, documents, configurations):
        subject.add_to(corpus, world)
    return corpus
