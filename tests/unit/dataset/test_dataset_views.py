"""Every view is what a plain list of the same samples would be."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.dataset import Dataset, Sample, open_dataset
from lake.dataset.writer import DatasetWriter
from lake.errors import NotFound, UsageError
from lake_schemas.descriptor import Descriptor
from tests.unit.dataset.making import blob, contents, small

Row = tuple[str, dict[str, Any]]
Step = tuple[Callable[[Dataset], Dataset], Callable[[list[Row]], list[Row]]]

COUNT = 12


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same samples in both layouts."""
    room = tmp_path_factory.mktemp("views")
    for layout in ("files", "packed"):
        descriptor = Descriptor.model_validate({"name": "base", "layout": layout})
        with DatasetWriter(room / layout, descriptor) as writer:
            for n in range(COUNT):
                part = ("train/", "val/", "")[n % 3]
                writer.add(Sample(f"{part}{n:03d}", {"b": blob(bytes([n])), "n": n, "x": [n]}))
    return {layout: room / layout for layout in ("files", "packed")}


def base_rows() -> list[Row]:
    rows = [
        (f"{('train/', 'val/', '')[n % 3]}{n:03d}", {"b": bytes([n]), "n": n, "x": [n]})
        for n in range(COUNT)
    ]
    return sorted(rows)


def bump(sample: Sample) -> Sample:
    return sample.set("n", sample["n"]() + 100)


def bump_all(samples: list[Sample]) -> list[Sample]:
    return [bump(sample) for sample in samples]


def is_even(sample: Sample) -> bool:
    return sample["n"]() % 2 == 0


def split(sample: Sample) -> list[Sample] | Sample | None:
    n = sample["n"]()
    if n % 3 == 0:
        return None
    if n % 3 == 1:
        return sample
    return [sample.with_id(f"{sample.id}_a"), sample.with_id(f"{sample.id}_b").set("n", -n)]


def split_row(row: Row) -> list[Row]:
    id, items = row
    n = items["n"]
    if n % 3 == 0:
        return []
    if n % 3 == 1:
        return [row]
    return [(f"{id}_a", items), (f"{id}_b", {**items, "n": -n})]


def number(index: int, sample: Sample) -> str:
    return f"new/{index:04d}"


def by_n(sample: Sample) -> int:
    return int(sample["n"]())


def changed(row: Row, **items: Any) -> Row:
    return row[0], {**row[1], **items}


def renamed(row: Row, old: str, new: str) -> Row:
    return row[0], {(new if name == old else name): value for name, value in row[1].items()}


def slicing(part: slice) -> Step:
    return (lambda d: d[part], lambda rows: rows[part])


def picking(numbers: list[int]) -> Step:
    def fit(count: int) -> list[int]:
        return [n % count - (count if n % 2 else 0) for n in numbers] if count else []

    return (lambda d: d[fit(len(d))], lambda rows: [rows[n] for n in fit(len(rows))])


def shuffling(seed: int) -> Step:
    def shuffled(rows: list[Row]) -> list[Row]:
        order = list(range(len(rows)))
        random.Random(seed).shuffle(order)
        return [rows[n] for n in order]

    return (lambda d: d.shuffle(seed), shuffled)


PLAIN: list[Step] = [
    (lambda d: d.map(bump), lambda r: [changed(row, n=row[1]["n"] + 100) for row in r]),
    (lambda d: d.map_batches(bump_all, 3), lambda r: [changed(w, n=w[1]["n"] + 100) for w in r]),
    (lambda d: d.filter(is_even), lambda r: [row for row in r if row[1]["n"] % 2 == 0]),
    (lambda d: d.flat_map(split), lambda r: [new for row in r for new in split_row(row)]),
    (lambda d: d + d[:2], lambda r: r + r[:2]),
    (lambda d: d.repeat(2), lambda r: r * 2),
    (lambda d: d.with_ids(number), lambda r: [(f"new/{n:04d}", w[1]) for n, w in enumerate(r)]),
    (lambda d: d.sort("n"), lambda r: sorted(r, key=lambda w: w[1]["n"])),
    (
        lambda d: d.sort(by_n, reverse=True),
        lambda r: sorted(r, key=lambda w: w[1]["n"], reverse=True),
    ),
    (
        lambda d: d.drop("x"),
        lambda r: [(i, {k: v for k, v in w.items() if k != "x"}) for i, w in r],
    ),
    (
        lambda d: d.select("n", "b"),
        lambda r: [(i, {k: v for k, v in w.items() if k in ("n", "b")}) for i, w in r],
    ),
    (
        lambda d: d.zip(d.select("n").rename(n="m"), "*_2"),
        lambda r: [changed(row, m_2=row[1]["n"]) for row in r],
    ),
]

bounds = st.one_of(st.none(), st.integers(-15, 15))
steps = st.lists(
    st.one_of(
        st.sampled_from(PLAIN),
        st.builds(slice, bounds, bounds, st.sampled_from([None, 1, 2, -1, -3])).map(slicing),
        st.lists(st.integers(0, 40), max_size=6).map(picking),
        st.integers(0, 5).map(shuffling),
    ),
    max_size=5,
)


def derive(dataset: Dataset, rows: list[Row], plan: list[Step]) -> tuple[Dataset, list[Row]]:
    for view, model in plan:
        if view is PLAIN[-1][0] and any("m_2" in items for _, items in rows):
            continue  # zipped already: the name is taken, which has a test of its own
        dataset, rows = view(dataset), model(rows)
    return dataset, rows


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps, layout=st.sampled_from(["files", "packed"]), data=st.data())
def test_views_are_lists(
    stored: dict[str, Path], plan: list[Step], layout: str, data: st.DataObject
) -> None:
    view, rows = derive(open_dataset(stored[layout]), base_rows(), plan)
    # Iteration comes before the length is known in half of the runs: both ways must agree.
    if data.draw(st.booleans()):
        assert contents(view) == rows
    assert len(view) == len(rows)
    assert contents(view) == rows
    assert contents(view.iter(prefetch=3)) == rows
    assert [len(batch) for batch in view.iter_batches(5)] == [
        len(rows[n : n + 5]) for n in range(0, len(rows), 5)
    ]
    assert list(view.ids) == [id for id, _ in rows]
    some = data.draw(st.lists(st.integers(0, max(0, len(rows) - 1)), max_size=4)) if rows else []
    assert contents(view.__getitems__(some)) == [rows[n] for n in some]
    for n in some:
        assert contents([view[n]]) == [rows[n]]
        assert contents([view[n - len(rows)]]) == [rows[n]]
        assert view.ids[n] == rows[n][0]
        assert view.sample(rows[n][0]).id == rows[n][0]
    for beyond in (len(rows), -len(rows) - 1):
        with pytest.raises(IndexError):
            view[beyond]
    for part in view.partitions:
        inside = [row for row in rows if row[0].startswith(f"{part}/")]
        assert contents(view[part]) == inside


@settings(deadline=None, max_examples=25)
@given(plan=steps)
def test_views_survive_pickling(stored: dict[str, Path], plan: list[Step]) -> None:
    view, rows = derive(open_dataset(stored["packed"]), base_rows(), plan)
    assert contents(pickle.loads(pickle.dumps(view))) == rows


def test_chained_slices_stay_one_step_long(stored: dict[str, Path]) -> None:
    view = open_dataset(stored["files"])
    for _ in range(2000):
        view = view[:]
    assert len(view) == COUNT
    assert view[3] == open_dataset(stored["files"])[3]


def test_map_is_lazy_and_one_to_one(tmp_path: Path) -> None:
    seen: list[str] = []

    def watch(sample: Sample) -> Sample:
        seen.append(sample.id)
        return sample

    view = small(tmp_path / "d").map(watch)
    assert len(view) == 10
    assert len(view["train"]) == 5
    assert view.ids[0] == "train/001"
    assert not seen
    assert view[2].id == "train/005"
    assert seen == ["train/005"]


@pytest.mark.parametrize(
    ("fn", "says"),
    [
        (lambda s: None, "filter"),
        (lambda s: [s, s], "flat_map"),
        (lambda s: s.with_id("other"), "with_ids"),
    ],
)
def test_map_says_what_to_use_instead(tmp_path: Path, fn: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        small(tmp_path / "d").map(fn)[0]
    assert says in str(caught.value)


def test_map_batches_is_one_to_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="given 4 samples and returned 3"):
        list(small(tmp_path / "d").map_batches(lambda batch: batch[1:], 4))


def test_zip_refuses_what_does_not_fit(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    with pytest.raises(UsageError, match="10 and 9 samples"):
        len(dataset.zip(dataset[1:], "*_2"))
    with pytest.raises(UsageError, match="both datasets have an item 'data'"):
        dataset.zip(dataset)[0]
    with pytest.raises(UsageError, match="one"):
        dataset.zip(dataset, "right")


def test_partitions_and_ids_that_are_not_there(tmp_path: Path) -> None:
    dataset = small(tmp_path / "d")
    assert dataset.partitions == ["train", "val"]
    with pytest.raises(NotFound, match="it has: train, val"):
        dataset["test"]
    with pytest.raises(NotFound, match="no such sample"):
        dataset.sample("train/999")
    assert "train/001" in dataset
    assert dataset[0] in dataset
    assert dataset[0].set("n", 7) not in dataset


def test_numpy_integers_are_indices(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    dataset = small(tmp_path / "d")
    assert dataset[numpy.int64(3)].id == dataset[3].id
    assert [s.id for s in dataset[numpy.array([3, 1])]] == [dataset[3].id, dataset[1].id]
    with pytest.raises(UsageError):
        dataset[1.5]  # type: ignore[call-overload]
    for mask in ([True, False], numpy.array([True, False]), ["train/001"]):
        with pytest.raises(UsageError, match="no position"):
            dataset[mask]


def test_prefetch_raises_at_the_sample_whose_function_fails(tmp_path: Path) -> None:
    def fail_at_four(sample: Sample) -> Sample:
        if sample["n"]() == 4:
            raise ValueError("four")
        return sample

    samples = small(tmp_path / "d").sort("n").map(fail_at_four).iter(prefetch=3)
    assert [next(samples)["n"]() for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="four"):
        next(samples)
