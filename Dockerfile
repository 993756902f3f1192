# The engine: wheels are built in one image, and only they go into the other.

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements/ requirements/
RUN python -m venv /build \
 && /build/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.txt \
 && /build/bin/pip wheel --no-cache-dir --require-hashes --no-deps --no-build-isolation \
      --wheel-dir /wheels -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY acd/ acd/
COPY ami_bridge/ ami_bridge/
COPY asterisk-conf/ asterisk-conf/
COPY config/ config/
COPY ivr/ ivr/
COPY routing/ routing/
RUN /build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
 && python -m venv /opt/acd \
 && /opt/acd/bin/pip install --no-cache-dir --no-index --no-deps /wheels/*.whl \
 && /opt/acd/bin/pip check \
 && /opt/acd/bin/pip uninstall --yes pip setuptools

FROM python:3.11-slim-bookworm
# tini: signals reach the engine, and what it starts (espeak-ng for prompts) is reaped.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends espeak-ng tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 acd \
 && useradd --uid 10001 --gid acd --no-create-home --home-dir /var/lib/acd --shell /usr/sbin/nologin acd \
 && install --directory --owner acd --group acd --mode 0700 /var/lib/acd \
 && install --directory --owner acd --group acd --mode 0755 /var/cache/acd /var/spool/acd \
 && install --directory --owner acd --group acd --mode 2770 /var/spool/acd/recordings
COPY --from=build /opt/acd /opt/acd
ENV PATH=/opt/acd/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ACD_CONFIG=/etc/acd
USER 10001:10001
WORKDIR /var/lib/acd
# The last is shared with Asterisk, which records there.
VOLUME ["/var/lib/acd", "/var/cache/acd", "/var/spool/acd/recordings"]
# FastAGI (for Asterisk alone: it has no password) and the web port. Both bind loopback unless ACD_FASTAGI_HOST and
# ACD_WEB_HOST say otherwise.
EXPOSE 4573 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/opt/acd/bin/python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ.get('ACD_WEB_PORT', '8080') + '/livez', timeout=3)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/tini", "--", "/opt/acd/bin/acd"]
CMD ["run"]
