"""What Ray and KubeRay show of themselves to Prometheus, as far as the chart's alerts ask for it.

The lines of Serve and of the dashboard were recorded on a cluster with Ray 2.60. Those of trainings
and of KubeRay 1.6.1 were written by hand, after the names and labels in their source.
"""
# ruff: noqa: E501 - the lines are as they were recorded

RAY_SERVE = """
ray_serve_deployment_replica_healthy{Component="core_worker",NodeAddress="10.244.0.9",SessionName="session_1",Version="2.60.0",WorkerId="w",application="nmt",deployment="Endpoint",otel_scope_name="ray._private.telemetry.open_telemetry_metric_recorder",otel_scope_schema_url="",otel_scope_version="",replica="abc"} 1.0
"""
RAY_DASHBOARD = """
ray_dashboard_api_requests_count_requests_total{Component="dashboard",SessionName="session_1",Version="2.60.0",endpoint="get_serve_instance_details",http_status="2xx",method="GET"} 7.0
"""
RAY_TRAIN = """
ray_train_controller_state{Component="core_worker",NodeAddress="10.244.0.9",SessionName="session_1",Version="2.60.0",WorkerId="w",ray_train_controller_state="RUNNING",ray_train_run_id="1",ray_train_run_name="demo"} 1.0
ray_train_report_total_blocked_time_s{Component="core_worker",NodeAddress="10.244.0.9",SessionName="session_1",Version="2.60.0",WorkerId="w",ray_train_run_id="1",ray_train_run_name="demo",ray_train_worker_world_rank="0"} 1.0
"""
KUBERAY = """
kuberay_service_condition_upgrade_in_progress{condition="false",name="demo",namespace="team",uid="u"} 1
kuberay_service_condition_upgrade_in_progress{condition="true",name="demo",namespace="team",uid="u"} 1
kuberay_job_deployment_status{deployment_status="Running",name="train",namespace="team",uid="j"} 1
kuberay_job_deployment_status{deployment_status="Failed",name="train",namespace="team",uid="j"} 1
"""
