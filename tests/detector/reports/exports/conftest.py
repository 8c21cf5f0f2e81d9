"""Names that try the escapes of every format."""

import pytest

from detector.reports.findings import findings


@pytest.fixture
def one(results):
    """Give the finding of the most suspicious account, recommended for revocation."""
    return next(findings(results))


@pytest.fixture
def named(make_results):
    """Give a maker of a finding and its run for an account and a shared thing of any name."""

    def make(name, thing="10.0.0.1"):
        results = make_results([name, "acct-2", "acct-3"], [thing])
        return next(found for found in findings(results) if found["account_id"] == name), results.run

    return make
