"""A small configuration on disk."""

from __future__ import annotations

from pathlib import Path

from acd.lab.ports import Ports


def write_site(folder: Path, ports: Ports, ami_port: int) -> Path:
    """Writes a sound configuration with one queue and one agent."""
    files = {
        "acd.yaml": f"""
            asterisk:
              ami: {{host: 127.0.0.1, port: {ami_port}, password: s3cret}}
              fastagi: {{port: {ports.agi}}}
            web: {{port: {ports.web}}}
            state_dir: state
            cache_dir: cache
            """,
        "routing.yaml": "numbers: {default: main}\nqueues: {sales: {title: Sales}}\n",
        "agents.yaml": "agents: {anna: {phone: PJSIP/anna, queues: [sales]}}\n",
        "ivr/main.yaml": "start: sales\nnodes:\n  sales: {type: enqueue, queue: sales}\n",
    }
    (folder / "ivr").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "acd.yaml").chmod(0o600)
    return folder
