"""Reading that cannot be fooled: any file ends in rows or in one clear error, and no row says what it did not say."""

from tests.torture.corpus import Figures, hostile_file, manifest, needs_torture


@needs_torture
def test_the_material_is_whole(figures: Figures) -> None:
    """Every file that the manifest names is there."""
    missing = [entry["file"] for entry in manifest() if not hostile_file(entry).is_file()]
    figures.add("material", f"{len(missing)} files missing", "0", holds=not missing)
