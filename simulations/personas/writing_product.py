"""Products that write at length: marketing, tutoring, game characters. Answers as long as a harvest's."""

from pydantic import Field

from simulations.personas.product_backend import ProductBackend, ProductBackendParameters


class WritingProductParameters(ProductBackendParameters):
    """What a cohort of writing products may set."""

    writer_share: float = Field(1.0, ge=0, le=1, description="share of products that write at length")


class WritingProduct(ProductBackend):
    """Products that write at length."""

    parameters = WritingProductParameters
