"""The only access to the storage root: a folder, `s3://` or `gs://`, through Arrow's filesystems.

Results are stored as *folder commits*: files, and a `manifest.json` with their sizes and hashes.
A local folder is put in place by one rename. An object store has no atomic rename, so its manifest
is written last. A folder without a manifest does not count as a result.
"""

from nmt.storage.cache import cached_folder
from nmt.storage.conditional import Versioned
from nmt.storage.disk import link_or_copy
from nmt.storage.exclusive import alone, check_free
from nmt.storage.files import DiskSpace, StoredFile
from nmt.storage.manifest import MANIFEST, FileEntry, describe_files
from nmt.storage.records import RecordKind
from nmt.storage.storage import Storage, below

__all__ = [
    "MANIFEST",
    "DiskSpace",
    "FileEntry",
    "RecordKind",
    "Storage",
    "StoredFile",
    "Versioned",
    "alone",
    "below",
    "cached_folder",
    "check_free",
    "describe_files",
    "link_or_copy",
]
