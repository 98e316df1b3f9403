"""How pyiceberg reads files of Azure Blob Storage in the tests."""

from pyiceberg.io.pyarrow import PyArrowFileIO


class AzureFileIO(PyArrowFileIO):
    """pyiceberg 0.12 takes container@account for the container (apache/iceberg-python issue 2698)."""

    @staticmethod
    def parse_location(location, properties=None):
        scheme, netloc, path = PyArrowFileIO.parse_location(location, properties or {})
        return scheme, netloc, path.replace(netloc, netloc.split("@")[0], 1)
