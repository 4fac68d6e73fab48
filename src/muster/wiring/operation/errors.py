"""What backing up, restoring and upgrading can refuse.

MusterError
  BackupDamaged     backup_damaged: not one of ours, cut short, or not what its own hashes say
  BackupTooNew      backup_too_new: a newer Muster wrote it
  HomeNotEmpty      home_not_empty: there is an installation already
  BackupUnknown     backup_unknown
"""

from __future__ import annotations

from muster.kernel.errors import MusterError


class BackupDamaged(MusterError):
    code = "backup_damaged"


class BackupTooNew(MusterError):
    code = "backup_too_new"


class HomeNotEmpty(MusterError):
    code = "home_not_empty"
