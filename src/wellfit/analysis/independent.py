"""Two means that share neither seeds nor test examples: the variance of their difference."""

from __future__ import annotations

from wellfit.analysis.crossed import VarianceComponents

__all__ = ["independent_components"]


def independent_components(first: VarianceComponents, second: VarianceComponents) -> VarianceComponents:
    """The variance components of the difference of two independent means.

    Variances of independent means add, part by part: those due to seeds and those due to examples. The degrees of
    freedom of a sum are Welch's. With seeds alone as a source of variation the interval is that of Welch's t test;
    ``half_squared`` and ``p_value`` then account for the examples, as in every other comparison.

    If the means do share examples, or the data that their networks are trained on, their difference varies less than
    that, since what they share helps or harms both: the interval is then rather too wide than too narrow.

    The variance is at least that after adding, to each mean, one example that is right and one that is wrong.

    Source: Welch (1947), Biometrika 34:28-35; Satterthwaite (1946), Biometrics Bull. 2:110-114, for the degrees of
    freedom; Agresti & Caffo (2000), Am. Stat. 54:280-288, for the added examples.

    Args:
      first, second: of the two means, as ``variance_components`` gives them.

    Example: twice the variance, and for equal variances the sum of the degrees of freedom.
      >>> one = VarianceComponents(0.9, 5, 98, 4e-6, 10e-6, 1e-6, 9e-6, 97, 4)
      >>> difference = independent_components(one, one._replace(mean=0.8))
      >>> round(difference.mean, 3), difference.seed, difference.examples, difference.seed_df, difference.df
      (0.1, 8e-06, 2e-05, 8.0, 194.0)
      >>> difference.floor
      0.0002
    """
    return VarianceComponents(
        mean=first.mean - second.mean,
        seeds=min(first.seeds, second.seeds),
        judged=min(first.judged, second.judged),
        seed=first.seed + second.seed,
        examples=first.examples + second.examples,
        overlap=first.overlap + second.overlap,
        lasting=first.lasting + second.lasting,
        df=_welch((first.examples, first.df), (second.examples, second.df)),
        seed_df=_welch((first.seed, first.seed_df), (second.seed, second.seed_df)),
        floor=sum(1 / (of.judged + 2) ** 2 if of.judged else of.floor for of in (first, second)),
    )


def _welch(first: tuple[float, float], second: tuple[float, float]) -> float:
    """The degrees of freedom of a sum of two variances; the smaller one if both are 0."""
    below = sum(variance**2 / df for variance, df in (first, second))
    return (first[0] + second[0]) ** 2 / below if below > 0 else min(first[1], second[1])
