"""How often Python looks for circles of garbage: a report makes tens of thousands of objects, and hardly a circle."""

import gc

# New objects between two looks. A page of a large organization makes that many a few times.
OBJECTS_BETWEEN_LOOKS = 50_000


def settle() -> None:
    """For a process that is set up and now serves: what stands by now stays, and isn't looked through again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
