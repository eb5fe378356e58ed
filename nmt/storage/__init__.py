"""The only door to the storage root: a folder, `s3://` or `gs://`, through Arrow's filesystems.

A *folder commit* is the unit of truth: files first, then `manifest.json` with their sizes and
hashes. In a local folder it appears by one rename; on an object store, which has no atomic
rename, the manifest is written last. What has no manifest does not exist.
"""

from nmt.storage.cache import kept_folder
from nmt.storage.exclusive import alone, check_free
from nmt.storage.manifest import MANIFEST, describe_files
from nmt.storage.records import RecordKind
from nmt.storage.storage import Storage, below

__all__ = [
    "MANIFEST",
    "RecordKind",
    "Storage",
    "alone",
    "below",
    "check_free",
    "describe_files",
    "kept_folder",
]
