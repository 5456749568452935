"""A stand-in for an Azure Machine Learning workspace, on this machine and over real HTTPS.

It serves what submissions and commands on jobs need: sign-in, the control plane (Azure
Resource Manager), run history, the blob storage of the workspace, and its registry of images. It
checks requests, and runs jobs with the runner of the local workspace.

A test starts it with `running_service`:

    from azureml_standin.service import running_service

    with running_service() as service:
        environment = service.client.direct()        # variables for a client
        rule = service.faults.add("reset-after", method="PUT", path="/jobs/", times=1)
        …                                            # the client submits
        assert service.recording.find("PUT", "/jobs/")
        assert service.jobs.names() == ["my-job"]

- `service.url`: `https://127.0.0.1:<port>`. A private authority signed its certificate:
  `service.authority.ca_file` (or `.bundle_file`, with what this machine trusts already).
- `service.client.direct(sign_in=…)`: variables by which azure-ai-ml and azure-identity find it:
  `ARM_CLOUD_METADATA_URL`, `AZUREML_CURRENT_CLOUD`, `AZURE_AUTHORITY_HOST`, `REQUESTS_CA_BUNDLE`,
  the workspace, and one way to sign in. Credentials need `disable_instance_discovery=True`.
- `service.client.by_proxy(…)`: the same under the real clouds' own host names, by `HTTPS_PROXY`.
- `service.recording`: the requests, with method, path, sizes and headers, without secrets.
- `service.faults`: rules for faults; `http/faults.py` has their kinds.
- `service.tokens.lifetime` (seconds): tokens that expire.
- `service.control.datastore_credentials`: `AccountKey`, `Sas` or `None`.
- `service.registry.tags(repository)`: the pushed images. `service.registry.access.allowed`:
  the actions that the caller's role allows. `service.control.has_registry`: whether the workspace
  has a registry.
- `service.jobs`, `.assets`, `.blobs`, `.state`, `.execution`: the state of the service.
- `running_service(jobs_at_once=0)` accepts jobs and runs none; `python=` is the prefix of the
  virtual environment in which jobs run; `folder=` keeps the state.
"""
