"""S3 through minio, on the same servers as the default driver."""

from __future__ import annotations

import pytest

from tests.conformance.s3suite import S3Suite

pytestmark = pytest.mark.server


class ThroughMinio(S3Suite):
    driver = "minio"


class TestMinioOnMoto(ThroughMinio):
    server_name = "moto"


@pytest.mark.slow
class TestMinioOnCeph(ThroughMinio):
    server_name = "ceph"


class TestMinioOnRadosgw(ThroughMinio):
    server_name = "radosgw"


class TestMinioWhereConditionsAreIgnored(ThroughMinio):
    server_name = "rclone"


class TestMinioWhereConditionsAreRefused(ThroughMinio):
    server_name = "unconditional"
