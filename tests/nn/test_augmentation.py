"""Augmentation: nothing at strength 0, known geometry against NumPy and SciPy, rates and areas, mixup's shares."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats

from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.augmentation import AUGMENTATIONS, augment, mixup

KEY = jax.random.key(7)
GEOMETRIC = ("shift", "rotation", "zoom")
STRENGTHS = {"shift": 0.2, "flip": 0.5, "rotation": 20.0, "zoom": 0.3, "erasing": 0.5, "noise": 0.4, "mixup": 0.2}


@partial(jax.jit, static_argnames="uses")
def _compiled(
    x: jax.Array, key: jax.Array, strength: dict[str, jax.Array], uses: tuple[str, ...], fill: jax.Array
) -> jax.Array:
    return augment(x, key, strength, uses, fill)


def changed(
    x: np.ndarray, strength: dict[str, float], fill: float | np.ndarray = 0.0, key: jax.Array = KEY
) -> np.ndarray:
    """``augment`` as training calls it: compiled, with traced strengths."""
    traced = {name: jnp.float32(value) for name, value in strength.items()}
    return np.asarray(_compiled(jnp.asarray(x), key, traced, tuple(strength), jnp.asarray(fill, jnp.float32)))


def pictures(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def maps(strength: dict[str, float], shape: tuple[int, int], batch: int, key: jax.Array = KEY) -> np.ndarray:
    """The affine map of each image, pixel -> where it comes from, measured by sending two ramps through.  # (B, 2, 3)

    Bilinear interpolation is exact on a ramp; pixels that touch the fill are seen by its value and left out.
    """
    i, j = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    outside = 1e6
    sources = [changed(np.repeat(ramp[None], batch, axis=0), strength, outside, key) for ramp in (i, j)]
    found = []
    for rows, columns in zip(*sources, strict=True):
        seen = (rows < max(shape)) & (columns < max(shape))
        places = np.stack([i[seen], j[seen], np.ones(seen.sum())], axis=1)  # (n, 3)
        found.append([np.linalg.lstsq(places, values[seen], rcond=None)[0] for values in (rows, columns)])
    return np.array(found)


@pytest.mark.parametrize("shape", [(5, 8, 6), (5, 8, 6, 3)])
def test_strength_zero_changes_no_bit(shape: tuple[int, ...]) -> None:
    x = pictures(*shape)
    x[0, 0, :3] = np.array([-0.0, 1e-42, 1e30], np.float32).reshape(3, *(1,) * (len(shape) - 3))
    same = changed(x, dict.fromkeys(AUGMENTATIONS, 0.0), fill=0.25)
    assert same.tobytes() == x.tobytes()


def test_one_strength_above_zero_leaves_the_others_out() -> None:
    x = pictures(6, 8, 6)
    only_flip = changed(x, dict.fromkeys(AUGMENTATIONS, 0.0) | {"flip": 0.5})
    np.testing.assert_array_equal(only_flip, changed(x, {"flip": 0.5}))
    both = changed(x, {"rotation": 0.0, "shift": 0.3, "zoom": 0.0})
    # the neutral rotation and zoom go through the same products with 1 and 0; XLA may fuse them otherwise
    np.testing.assert_allclose(both, changed(x, {"shift": 0.3}), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in AUGMENTATIONS if name != "mixup"])
def test_same_key_same_pixels_other_key_others(name: str) -> None:
    x, strength = pictures(6, 8, 6), {name: STRENGTHS[name]}
    first = changed(x, strength)
    np.testing.assert_array_equal(first, changed(x, strength))
    assert not np.array_equal(first, changed(x, strength, key=jax.random.key(8)))
    assert not np.array_equal(first, x)


def test_examples_of_a_batch_are_changed_independently() -> None:
    x = np.repeat(pictures(1, 8, 6), 12, axis=0)
    for name in ("shift", "rotation", "zoom", "noise"):
        assert len(np.unique(changed(x, {name: STRENGTHS[name]}), axis=0)) == 12, name
    assert len(np.unique(changed(x, {"flip": 0.5}), axis=0)) == 2


def test_no_dtype_is_promoted() -> None:
    with jax.numpy_dtype_promotion("strict"):
        out = changed(pictures(3, 8, 6, 2), STRENGTHS)
        mixed, partner, share = mixup(jnp.asarray(out), KEY, jnp.float32(0.2), jnp.ones(3))
    assert (out.dtype, mixed.dtype, partner.dtype, share.dtype) == (np.float32, np.float32, np.int32, np.float32)


def test_shifts_are_uniform_shares_of_height_and_width() -> None:
    height, width, s = 20, 10, 0.25
    displacement = -maps({"shift": s}, (height, width), 400)[:, :, 2]  # (B, 2)
    units = displacement / (s * np.array([height, width]))
    assert np.abs(units).max() <= 1 + 1e-5
    for axis in range(2):
        assert scipy.stats.kstest(units[:, axis], "uniform", (-1, 2)).pvalue > 0.01
    assert abs(np.corrcoef(units.T)[0, 1]) < 0.15  # three standard errors of 400


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("pixels", [2, 5])
def test_shift_by_whole_pixels_is_a_padded_shift(axis: int, pixels: int) -> None:
    # Draws do not depend on the strength, so a strength can be chosen that moves an image by whole pixels.
    small, x, fill = 0.05, pictures(1, 12, 9), 0.5
    moved = -maps({"shift": small}, (12, 9), 1)[0, :, 2]  # (2,)
    strength = small * pixels / abs(moved[axis])
    other = moved[1 - axis] * strength / small
    out = changed(x, {"shift": strength}, fill)[0]
    expected = np.roll(x[0], np.sign(moved[axis]).astype(int) * pixels, axis)
    emptied = slice(None, pixels) if moved[axis] > 0 else slice(-pixels, None)
    np.moveaxis(expected, axis, 0)[emptied] = fill
    shifted = np.zeros(2)
    shifted[1 - axis] = -other
    expected = scipy.ndimage.affine_transform(expected, np.eye(2), shifted, order=1, mode="grid-constant", cval=fill)
    np.testing.assert_allclose(out, expected, atol=2e-4)  # the measured shift is known to float32 times the ramp's 12


def test_rotation_by_a_right_angle_is_rot90() -> None:
    x = pictures(8, 9, 9)
    matrices = maps({"rotation": 10.0}, (9, 9), 8)
    angles = np.degrees(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))  # (B,), within 10 degrees
    for example, angle in enumerate(angles):
        out = changed(x, {"rotation": 900.0 / abs(angle)})[example]
        np.testing.assert_allclose(out, np.rot90(x[example], int(np.sign(angle))), atol=2e-3)  # 1e-4 of a pixel off


def test_rotations_are_uniform_and_keep_the_center() -> None:
    matrices = maps({"rotation": 30.0}, (11, 9), 300)
    angles = np.degrees(np.arctan2(matrices[:, 0, 1], matrices[:, 0, 0]))
    assert np.abs(angles).max() <= 30 + 1e-3
    assert scipy.stats.kstest(angles, "uniform", (-30, 60)).pvalue > 0.01
    np.testing.assert_allclose(matrices @ [5, 4, 1], np.tile([5, 4], (300, 1)), atol=1e-4)
    np.testing.assert_allclose(np.linalg.det(matrices[:, :, :2]), 1, atol=1e-4)


def test_zoom_factors_are_uniform_and_keep_the_center() -> None:
    matrices = maps({"zoom": 0.4}, (11, 9), 300)
    factors = 1 / matrices[:, 0, 0]
    np.testing.assert_allclose(matrices[:, 1, 1], matrices[:, 0, 0], atol=1e-4)
    assert 0.6 - 1e-4 <= factors.min() < factors.max() <= 1.4 + 1e-4
    assert scipy.stats.kstest(factors, "uniform", (0.6, 0.8)).pvalue > 0.01
    np.testing.assert_allclose(matrices @ [5, 4, 1], np.tile([5, 4], (300, 1)), atol=1e-4)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_composed_geometry_is_one_affine_transform(channels: tuple[int, ...]) -> None:
    strength = {name: STRENGTHS[name] for name in GEOMETRIC}
    x, fill = pictures(6, 14, 10, *channels), -0.75
    out = changed(x, strength, fill)
    oracle = partial(scipy.ndimage.affine_transform, order=1, mode="grid-constant", cval=fill)
    for example, matrix in enumerate(maps(strength, (14, 10), 6)):
        assert np.abs(matrix - np.eye(2, 3)).max() > 0.05  # it did move
        layers = x[example].reshape(14, 10, -1)
        expected = np.stack([oracle(layer, matrix[:, :2], matrix[:, 2]) for layer in np.moveaxis(layers, 2, 0)], axis=2)
        np.testing.assert_allclose(out[example].reshape(14, 10, -1), expected, atol=1e-4)  # the map is measured to 1e-5


def test_outside_is_the_fill_of_the_place() -> None:
    fill = pictures(6, 6)
    out = changed(np.zeros((30, 6, 6), np.float32), {"shift": 40.0}, fill)  # far out, but for unlikely draws
    away = [example for example in out if np.array_equal(example, fill)]
    assert len(away) >= 25


def test_flip_with_probability_one_mirrors_every_image() -> None:
    for shape in ((4, 5, 6), (4, 5, 6, 3)):
        x = pictures(*shape)
        np.testing.assert_array_equal(changed(x, {"flip": 1.0}), x[:, :, ::-1])


def test_a_flip_mirrors_what_was_moved() -> None:
    x, strength = pictures(6, 14, 10, 2), {name: STRENGTHS[name] for name in GEOMETRIC}
    mirrored, moved = changed(x, strength | {"flip": 1.0}, -0.75), changed(x, strength, -0.75)
    np.testing.assert_allclose(mirrored, moved[:, :, ::-1], atol=2e-5)  # sources are mirrored in float32
    some = changed(x, strength | {"flip": 0.5}, -0.75)
    flipped = changed(x, {"flip": 0.5})[:, 0, 0, 0] != x[:, 0, 0, 0]  # (B,)
    assert 0 < flipped.sum() < 6
    np.testing.assert_allclose(some, np.where(flipped[:, None, None, None], mirrored, moved), atol=2e-5)


@pytest.mark.parametrize("name", ["flip", "erasing"])
def test_a_probability_is_the_share_of_images_changed(name: str) -> None:
    x = pictures(2000, 8, 8)
    shares = {}
    for p in (0.3, 0.7):
        hit = (changed(x, {name: p}, fill=9.0) != x).any(axis=(1, 2))  # (B,)
        assert scipy.stats.binomtest(int(hit.sum()), 2000, p).pvalue > 0.01
        shares[p] = hit
    assert (shares[0.3] <= shares[0.7]).all()  # a higher threshold takes the same images and more


def test_erased_areas_are_filled_rectangles_of_2_to_20_percent() -> None:
    height, width = 60, 50
    erased = changed(np.zeros((1500, height, width), np.float32), {"erasing": 1.0}, fill=1.0)
    assert set(np.unique(erased)) == {0.0, 1.0}
    tall, wide = erased.max(axis=2).sum(axis=1), erased.max(axis=1).sum(axis=1)  # (B,)
    area = erased.sum(axis=(1, 2))
    np.testing.assert_array_equal(tall * wide, area)  # full rectangles
    share = area / (height * width)
    # rounding to whole pixels moves a side by half a pixel at most, 8 % of the shortest, which is 4 pixels long
    assert scipy.stats.kstest(share, "uniform", (0.02, 0.18)).pvalue > 0.01
    assert 0.015 < share.min() < share.max() < 0.21
    aspect = np.log(tall / wide) / np.log(1 / 0.3)
    assert np.abs(aspect).max() < 1.15  # the same half pixel
    assert scipy.stats.kstest(aspect, "uniform", (-1, 2)).pvalue > 0.01
    # every place is taken: the first row that is erased is uniform on the rows where the rectangle fits
    top = erased.max(axis=2).argmax(axis=1)
    assert {0, 1, 2} <= set(top)
    assert (top + tall).max() == height
    assert abs(np.mean(top / (height - tall)) - 0.5) < 3 / np.sqrt(12 * 1500)


@pytest.mark.parametrize(("height", "width"), [(40, 6), (6, 40), (1, 30), (2, 2)])
def test_erased_rectangles_fit_narrow_images(height: int, width: int) -> None:
    erased = changed(np.zeros((300, height, width), np.float32), {"erasing": 1.0}, fill=1.0)
    tall, wide = erased.max(axis=2).sum(axis=1), erased.max(axis=1).sum(axis=1)
    np.testing.assert_array_equal(tall * wide, erased.sum(axis=(1, 2)))
    assert erased.any(axis=(1, 2)).all()


def test_erased_places_hold_no_noise() -> None:
    erased = changed(np.zeros((50, 12, 12), np.float32), {"noise": 0.5, "erasing": 1.0}, fill=3.0)
    assert ((erased == 3).sum(axis=(1, 2)) >= 2).all()


@pytest.mark.parametrize("shape", [(500, 20), (50, 6, 7), (50, 6, 7, 3)])
def test_noise_is_gaussian_and_scaled_by_its_strength(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape, np.float32)
    once, twice = changed(x, {"noise": 0.3}), changed(x, {"noise": 0.6})
    assert scipy.stats.kstest(once.ravel() / 0.3, "norm").pvalue > 0.01
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


def test_strengths_scale_the_same_draws() -> None:
    for name in ("shift", "zoom"):
        small, large = (maps({name: s}, (12, 10), 20) for s in (0.1, 0.2))
        if name == "zoom":
            small, large = 1 / small[:, 0, 0] - 1, 1 / large[:, 0, 0] - 1
        else:
            small, large = small[:, :, 2], large[:, :, 2]
        np.testing.assert_allclose(large, 2 * small, atol=1e-4)


def test_draws_do_not_depend_on_what_else_is_used() -> None:
    x = np.zeros((5, 8, 8), np.float32)
    np.testing.assert_array_equal(changed(x, {"noise": 0.3}), changed(x, {"noise": 0.3, "rotation": 5.0, "mixup": 0.2}))


def test_vmap_over_strengths_equals_one_by_one() -> None:
    x = jnp.asarray(pictures(5, 8, 6, 2))
    strengths = {name: jnp.array([0.0, 0.5, 1.0], jnp.float32) * value for name, value in STRENGTHS.items()}

    def one(strength: dict[str, jax.Array]) -> tuple[jax.Array, ...]:
        changed_x = augment(x, KEY, strength, AUGMENTATIONS, jnp.float32(0.1))
        return changed_x, *mixup(changed_x, KEY, strength["mixup"], jnp.array([1.0, 1, 1, 1, 0]))

    together = jax.jit(jax.vmap(one))(strengths)
    for place in range(3):
        alone = jax.jit(one)({name: values[place] for name, values in strengths.items()})
        for all_of_them, expected in zip(together, alone, strict=True):
            np.testing.assert_allclose(
                all_of_them[place], expected, atol=2e-5
            )  # fused otherwise, at most 1e-5 of a pixel
    np.testing.assert_array_equal(together[0][0], x)


def test_what_is_not_used_is_not_in_the_program() -> None:
    def program(uses: tuple[str, ...]) -> str:
        strength = {name: jnp.float32(0.1) for name in uses}
        fixed: Callable[..., jax.Array] = partial(augment, uses=uses, fill=jnp.float32(0))
        return str(jax.make_jaxpr(fixed)(jnp.zeros((2, 4, 4)), KEY, strength))

    assert "random_bits" not in program(())
    assert "random_bits" not in program(("mixup",))
    assert "gather" not in program(("flip", "noise", "erasing"))
    assert "erf_inv" not in program(("shift", "flip"))
    assert "gather" in program(("shift",))


@pytest.mark.parametrize("name", ["shift", "flip", "rotation", "zoom", "erasing"])
def test_feature_rows_refuse_what_needs_images(name: str) -> None:
    with pytest.raises(ShapeError, match=rf"'{name}' needs images, but the examples have shape \(7,\); remove it"):
        changed(np.zeros((3, 7), np.float32), {name: 0.1})


def test_unknown_augmentation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown augmentation 'rotate'; did you mean 'rotation'"):
        changed(np.zeros((3, 4, 4), np.float32), {"rotate": 0.1})


# --- mixup ------------------------------------------------------------------------------------------------------------


@jax.jit
def _drawn(alpha: jax.Array, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    x = jnp.zeros((8, 1))
    return jax.vmap(lambda key: mixup(x, key, alpha, weight)[1:])(jax.random.split(KEY, 3000))


def draws(alpha: float, real: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Partners and shares of 3000 batches of ``real`` examples and padding up to 8.  # (3000, 8), (3000,)"""
    partners, shares = _drawn(jnp.float32(alpha), (jnp.arange(8) < real).astype(jnp.float32))
    return np.asarray(partners), np.asarray(shares, np.float64)


@jax.jit
def _mixed(x: jax.Array, alpha: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return mixup(x, KEY, alpha)


def test_mixup_mixes_each_example_with_its_partner() -> None:
    x = pictures(9, 4, 3)
    mixed, partner, share = (np.asarray(a) for a in _mixed(x, jnp.float32(1)))
    assert sorted(partner) == list(range(9))
    assert 0 < share < 1
    np.testing.assert_allclose(mixed, share * x + (1 - share) * x[partner], rtol=1e-5, atol=1e-6)


def test_mixup_with_alpha_zero_changes_no_bit() -> None:
    x = pictures(9, 4, 3)
    x[0, 0, 0], x[1, 1, 1] = -0.0, np.inf
    mixed, _, share = _mixed(x, jnp.float32(0))
    assert np.asarray(mixed).tobytes() == x.tobytes()
    assert float(share) == 1


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    _, shares = draws(alpha)
    assert 0 <= shares.min() <= shares.max() <= 1
    # Kolmogorov-Smirnov, away from 1 where float32 rounds what it cannot tell from 1: at alpha 0.1 one share in twelve
    at = np.concatenate([np.geomspace(1e-12, 1e-3, 50), np.linspace(1e-3, 0.999, 500)])
    observed = np.searchsorted(np.sort(shares), at, side="right") / len(shares)
    distance = np.abs(observed - scipy.stats.beta.cdf(at, alpha, alpha)).max()
    assert distance < scipy.stats.kstwobign.isf(0.01) / np.sqrt(len(shares))


def test_tiny_alphas_give_finite_shares() -> None:
    _, shares = draws(1e-4)
    assert np.isfinite(shares).all()
    assert abs(shares.mean() - 0.5) < 3 * 0.5 / np.sqrt(3000)  # half of them are 0, half 1


@pytest.mark.parametrize("real", [1, 2, 5, 8])
def test_padding_is_its_own_partner(real: int) -> None:
    partners, _ = draws(1.0, real)
    np.testing.assert_array_equal(partners[:, real:], np.tile(np.arange(real, 8), (3000, 1)))
    np.testing.assert_array_equal(np.sort(partners[:, :real]), np.tile(np.arange(real), (3000, 1)))


@pytest.mark.parametrize("real", [5, 8])
def test_partners_are_uniform(real: int) -> None:
    partners, _ = draws(1.0, real)
    for place in range(real):
        assert scipy.stats.chisquare(np.bincount(partners[:, place], minlength=real)).pvalue > 0.01 / real


def test_draws_of_mixup_do_not_depend_on_alpha() -> None:
    (partners, small), (same, large) = draws(0.3), draws(0.6)
    np.testing.assert_array_equal(partners, same)
    assert scipy.stats.spearmanr(small, large).statistic > 0.95  # the same unit numbers, not only the same key
