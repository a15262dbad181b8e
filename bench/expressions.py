# SPDX-License-Identifier: Apache-2.0
"""The best that we found in plain PyTorch: from a batch to the value of the metric."""

import functools

import numpy as np
import torch


@functools.cache  # one object for equal arguments, so that what torch.compile made of it is found again
def expression(function, *arguments):
    return functools.partial(function, *arguments)


def in_double(function):
    """The same in float64: a reference."""
    return lambda *batch: function(*(x.double() for x in batch))


def product(hidden, weight, target):
    """What the logits of hidden states cost."""
    hidden @ weight.t()


@functools.lru_cache(1)
def lists_of_ranx(preds, target, indexes):
    """The relevance and the scores of a batch as ranx takes them."""
    import ranx

    by_query = [{}, {}]
    for to, values in zip(by_query, (target, preds.double()), strict=True):
        for place, (query, value) in enumerate(zip(indexes.tolist(), values.tolist(), strict=True)):
            to.setdefault(str(query), {})[str(place)] = value
    return ranx.Qrels(by_query[0]), ranx.Run(by_query[1])


def ndcg_by_ranx(preds, target, indexes):
    """Of lists that are made once and kept; its functions are compiled in the first call."""
    import ranx

    return torch.as_tensor(ranx.evaluate(*lists_of_ranx(preds, target, indexes), "ndcg"))


def sort_by_numpy(preds, target):
    """What a sort of the scores costs."""
    np.sort(preds.numpy())


def auroc_by_scikit_learn(preds, target, weights=None):
    from sklearn.metrics import roc_auc_score

    weights = None if weights is None else weights.numpy()
    return torch.tensor(roc_auc_score(target.numpy(), preds.numpy(), sample_weight=weights))


def average_precision_by_scikit_learn(preds, target, weights):
    from sklearn.metrics import average_precision_score

    return torch.tensor(average_precision_score(target.numpy(), preds.numpy(), sample_weight=weights.numpy()))


def write_two_curves(preds, target):
    """What it costs to fill the memory of a ROC and a precision-recall curve, whatever they are."""
    held = [torch.empty(len(preds), dtype=torch.float32).fill_(0.5) for _ in range(6)]
    del held


def confusion_of_labels(c, preds, target):
    return torch.bincount(target * c + preds, minlength=c * c).reshape(c, c)


def confusion_of_scores(c, preds, target):
    return confusion_of_labels(c, preds.argmax(1).flatten(), target.flatten())


def micro_accuracy_of_labels(preds, target):
    return (preds == target).float().mean()


def micro_accuracy_of_scores(preds, target):
    return (preds.argmax(1) == target).float().mean()


def macro_recall_of_labels(c, preds, target):
    """Of the classes that occur as a label or a target."""
    hits = torch.bincount(torch.where(preds == target, target, c), minlength=c + 1)[:c]
    actual, predicted = torch.bincount(target, minlength=c), torch.bincount(preds, minlength=c)
    recall = hits / actual.clamp(min=1)
    return recall.sum() / ((actual + predicted) > 0).sum()


def macro_recall_of_scores(c, preds, target):
    return macro_recall_of_labels(c, preds.argmax(1).flatten(), target.flatten())


def ranks(preds, target):
    """How many classes have a greater score than the target, int64 ``[N]``."""
    return (preds > preds.gather(1, target.unsqueeze(1))).sum(1)


def top_k_share(ks, preds, target):
    rank = ranks(preds, target)
    return torch.stack([(rank < k).float().mean() for k in ks])


def mean_reciprocal_rank(preds, target):
    return (1 / (ranks(preds, target) + 1)).mean()


def binary_share(threshold, preds, target):
    return ((preds > threshold) == target).float().mean()


def multilabel_share(preds, target):
    return ((preds > 0.5) == target).float().mean(0)


def perplexity(preds, target):
    return torch.nn.functional.cross_entropy(preds, target).exp()


def perplexity_of_hidden(hidden, weight, target):
    return perplexity(hidden @ weight.t(), target)


def four_of_tokens(preds, target):
    """Accuracy, top-5 accuracy, entropy and perplexity: the order of their keys."""
    log_probs = preds.float().log_softmax(1)
    entropy = -(log_probs.exp() * log_probs).sum(1).mean()
    nll = torch.nn.functional.nll_loss(log_probs, target)
    return torch.stack([*top_k_share((1, 5), preds, target), entropy, nll.exp()])


def mean_squared_error(preds, target):
    return (preds - target).square().mean()


def mean_absolute_error(preds, target):
    return (preds - target).abs().mean()


def error_means(preds, target):
    difference = preds - target
    return torch.stack([difference.abs().mean(), difference.square().mean()])


def moments(preds, target):
    """Means, central second moments and the cross moment, float64, from sums around the first pair."""
    x, y = (preds - preds[0]).double(), (target - target[0]).double()
    n = preds.shape[0]
    sx, sy, sxx, syy, sxy = x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum()
    return sxx - sx * sx / n, syy - sy * sy / n, sxy - sx * sy / n


def r2_score(preds, target):
    y, error = (target - target[0]).double(), (preds - target).double()
    return 1 - error.square().sum() / (y.square().sum() - y.sum() ** 2 / y.shape[0])


def pearson(preds, target):
    xx, yy, xy = moments(preds, target)
    return xy / (xx * yy).sqrt()


def four_of_pairs(preds, target):
    """MAE, MSE, Pearson, R2: the order of their keys."""
    error = (preds - target).double()
    squared = error.square().sum()
    xx, yy, xy = moments(preds, target)
    n = preds.shape[0]
    return torch.stack([error.abs().sum() / n, squared / n, xy / (xx * yy).sqrt(), 1 - squared / yy])


def spearman(preds, target):
    """Of pairs with few ties: those are ranked in the order in which they come."""
    both = torch.stack([preds, target]).argsort(1).argsort(1).double()
    return torch.corrcoef(both)[0, 1]


def nan_sum(values):
    return values.nansum()


def nan_mean(values):
    return values.nanmean()


def nan_min(values):
    return torch.where(values.isnan(), torch.inf, values).min()


def nan_max(values):
    return torch.where(values.isnan(), -torch.inf, values).max()
