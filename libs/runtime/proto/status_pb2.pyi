from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Standing(_message.Message):
    __slots__ = ("service", "version", "ready", "checks", "groups", "workers", "budgets")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    service: str
    version: str
    ready: bool
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    groups: _containers.RepeatedCompositeFieldContainer[Group]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    budgets: _containers.RepeatedCompositeFieldContainer[Budget]
    def __init__(self, service: _Optional[str] = ..., version: _Optional[str] = ..., ready: _Optional[bool] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., groups: _Optional[_Iterable[_Union[Group, _Mapping]]] = ..., workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[Budget, _Mapping]]] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("name", "problem")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    name: str
    problem: str
    def __init__(self, name: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class Group(_message.Message):
    __slots__ = ("name", "lag_events", "parked_events", "failures", "last_error", "positions")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    PARKED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    lag_events: int
    parked_events: int
    failures: int
    last_error: str
    positions: _containers.RepeatedCompositeFieldContainer[Position]
    def __init__(self, name: _Optional[str] = ..., lag_events: _Optional[int] = ..., parked_events: _Optional[int] = ..., failures: _Optional[int] = ..., last_error: _Optional[str] = ..., positions: _Optional[_Iterable[_Union[Position, _Mapping]]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("topic", "sequences")
    class SequencesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_FIELD_NUMBER: _ClassVar[int]
    topic: str
    sequences: _containers.ScalarMap[int, int]
    def __init__(self, topic: _Optional[str] = ..., sequences: _Optional[_Mapping[int, int]] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ("name", "failures", "last_error", "resting_workspaces")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    RESTING_WORKSPACES_FIELD_NUMBER: _ClassVar[int]
    name: str
    failures: int
    last_error: str
    resting_workspaces: int
    def __init__(self, name: _Optional[str] = ..., failures: _Optional[int] = ..., last_error: _Optional[str] = ..., resting_workspaces: _Optional[int] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("provider", "accounts", "least_left_today", "closed_accounts")
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    LEAST_LEFT_TODAY_FIELD_NUMBER: _ClassVar[int]
    CLOSED_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    provider: str
    accounts: int
    least_left_today: int
    closed_accounts: int
    def __init__(self, provider: _Optional[str] = ..., accounts: _Optional[int] = ..., least_left_today: _Optional[int] = ..., closed_accounts: _Optional[int] = ...) -> None: ...
