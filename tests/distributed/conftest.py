from tests.support.training.small_training import _one_thread, config, job, prepared

__all__ = ["_one_thread", "config", "job", "prepared"]
