"""S3 through boto3, on the same servers as the default driver."""

from __future__ import annotations

import pytest

from tests.conformance.s3suite import S3Suite

pytestmark = pytest.mark.server


class ThroughBoto3(S3Suite):
    driver = "boto3"


class TestBoto3OnMoto(ThroughBoto3):
    server_name = "moto"


@pytest.mark.slow
class TestBoto3OnCeph(ThroughBoto3):
    server_name = "ceph"


class TestBoto3OnRadosgw(ThroughBoto3):
    server_name = "radosgw"


class TestBoto3WhereConditionsAreIgnored(ThroughBoto3):
    server_name = "rclone"


class TestBoto3WhereConditionsAreRefused(ThroughBoto3):
    server_name = "unconditional"
