"""What Kafka's client raises while events are carried, as the error that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from libs.contracts.errors import Transient


@contextmanager
def kafka_as_transient() -> Iterator[None]:
    """Turns Kafka's errors into ours. All of them are waited out and said: nothing is lost meanwhile.

    Raises:
        Transient: The cluster cannot do it now, or a person must change something on it first.
    """
    try:
        yield
    except UnknownTopicOrPartitionError as error:
        raise Transient("A topic is missing on the Kafka cluster; `well topics apply` makes it.") from error
    except KafkaError as error:
        raise Transient(f"Kafka could not do it this time ({type(error).__name__}).") from error
    except (TimeoutError, OSError) as error:
        raise Transient("Kafka did not answer in time.") from error
