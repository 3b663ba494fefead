"""Work in processes of their own: what it breaks, and what it holds, is gone with it."""
import multiprocessing

FORK = multiprocessing.get_context("fork")


class Ended(Exception):
    """Work that did not come to its end."""


def _send(connection, work, arguments):
    for value in work(*arguments):
        connection.send(value)


def apart(work, *arguments):
    """Yields what work(*arguments) yields, in a fork of this process: what is imported is there, and a
    GPU that this process has not touched can be used. Raises Ended after the last value that came if
    the work ends by an exception, an exit or a signal."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_send, args=(sender, work, arguments), daemon=True)
    process.start()
    sender.close()
    while True:
        try:
            value = receiver.recv()
        except EOFError:
            break
        yield value
    process.join()
    if process.exitcode != 0:
        raise Ended(f"exit {process.exitcode}")
