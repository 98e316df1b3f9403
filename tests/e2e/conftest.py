import pytest

from arc_server import ArcServer


@pytest.fixture
def make_server(tmp_path):
    """Servers on this test's folder, killed at its end: make_server(WAL_MAX_SIZE_MB="4")."""
    made = []

    def make(**environment):
        server = ArcServer(tmp_path, environment=environment)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        if server.process and server.process.poll() is None:
            server.kill()


@pytest.fixture
def server(make_server):
    return make_server()
