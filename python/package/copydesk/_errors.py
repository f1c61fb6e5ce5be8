"""The exceptions of this package. All of them are :class:`CopydeskError`."""


class CopydeskError(Exception):
    """Whatever this package raises of its own accord."""


class ModelError(CopydeskError):
    """A model cannot be opened, or lacks what is asked of it."""


class InputError(CopydeskError, ValueError):
    """A text cannot be read, such as one with half of a surrogate pair."""


class NotTextError(CopydeskError, TypeError):
    """Something else stands where a text or a list of texts belongs, such as ``None`` or ``bytes``."""


class ColumnError(CopydeskError, ValueError):
    """A table lacks a column, has it in another type, or cannot be read."""


class OptionError(CopydeskError, ValueError):
    """An argument has a value that it cannot have."""
