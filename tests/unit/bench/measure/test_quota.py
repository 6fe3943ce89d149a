"""The quota that stands for Lambda's: found in both versions of the interface, and real where it can be."""

import subprocess
from pathlib import Path

import pytest

from bench.measure.quota import NoQuotaError, controller, limited, settings


def test_version_1() -> None:
    mounts = (
        "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
    )
    assert controller(mounts) == (Path("/sys/fs/cgroup/cpu,cpuacct"), 1)
    assert settings(0.5, 1) == {
        "cpu.cfs_period_us": "20000",
        "cpu.cfs_quota_us": "10000",
        "cpu.shares": "262144",
    }


def test_version_2(tmp_path: Path) -> None:
    mounts = f"cgroup2 {tmp_path} cgroup2 rw 0 0\n"
    with pytest.raises(NoQuotaError, match="no controller"):
        controller(mounts)
    (tmp_path / "cgroup.subtree_control").write_text("cpuset cpu memory\n")
    assert controller(mounts) == (tmp_path, 2)
    assert settings(1.7, 2) == {"cpu.max": "34000 20000", "cpu.weight": "10000"}


def test_more_than_the_machine_has() -> None:
    with pytest.raises(NoQuotaError, match="more cores"), limited(1000):
        pass


@pytest.mark.slow
def test_a_process_gets_its_share_and_the_group_goes() -> None:
    code = "import time\nend = time.time() + 1\nwhile time.time() < end: pass\nprint(time.process_time())"
    try:
        with limited(0.25) as prefix:
            group = Path(prefix[-1]).parent
            used = subprocess.run(
                [*prefix, "python3", "-c", code], capture_output=True, check=True, timeout=60
            )
    except NoQuotaError as error:
        pytest.skip(str(error))
    assert float(used.stdout) < 0.5
    assert not group.exists()


@pytest.mark.slow
def test_the_group_waits_for_processes_that_end_a_moment_later() -> None:
    try:
        with limited(1) as prefix:
            group = Path(prefix[-1]).parent
            subprocess.run([*prefix, "sh", "-c", "sleep 0.5 >/dev/null 2>&1 &"], check=True, timeout=60)
    except NoQuotaError as error:
        pytest.skip(str(error))
    assert not group.exists()
