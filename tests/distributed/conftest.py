from tests.support.training_world import _one_thread, config, job, prepared

__all__ = ["_one_thread", "config", "job", "prepared"]
