# roombus (target `roombus`, the default), and the broker and the Redis of docker-compose.yml (targets `mosquitto`, `redis`).

FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/lib scripts/lib
RUN bash -euc 'source scripts/lib/common.sh; source scripts/lib/packages.sh; \
    install_packages "${packages_build[@]}" boost' && rm -rf /var/lib/apt/lists/*
COPY . .
RUN bash -euc 'source scripts/lib/common.sh; build_preset release roombus' \
 && strip build/release/bin/roombus build/release/lib/roombus_mosquitto.so

FROM debian:12-slim AS mosquitto
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libargon2-1 libcbor0.8 libssl3 libstdc++6 mosquitto mosquitto-clients \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin roombus \
 && install -d -o roombus -g roombus -m 0700 /run/roombus
COPY --from=build /src/build/release/lib/roombus_mosquitto.so /usr/lib/roombus/roombus_mosquitto.so
COPY deploy/mosquitto /etc/roombus
USER roombus
EXPOSE 1883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD ["/etc/roombus/healthcheck"]
ENTRYPOINT ["/etc/roombus/entrypoint"]

FROM debian:12-slim AS redis
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o redis -g redis -m 0700 /var/lib/redis
COPY deploy/redis /etc/roombus
USER redis
VOLUME /var/lib/redis
EXPOSE 6379
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD ["/etc/roombus/healthcheck"]
ENTRYPOINT ["/etc/roombus/entrypoint"]

FROM debian:12-slim AS roombus
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates libargon2-1 libcbor0.8 libhiredis0.14 libpaho-mqtt1.3 libpaho-mqttpp3-1 libsqlite3-0 libssl3 libtomlplusplus3 zlib1g \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin roombus
COPY --from=build /src/build/release/bin/roombus /usr/local/bin/roombus
# rooms are kept here, in data/roombus.db: mount a volume
RUN install -d -o roombus -g roombus -m 0700 /var/lib/roombus
VOLUME /var/lib/roombus
WORKDIR /var/lib/roombus
USER roombus
# the embedded broker is not in this image: name one with ROOMBUS_MQTT__BROKER, or "none"
ENV ROOMBUS_HTTP__LISTEN=0.0.0.0:8000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s CMD ["roombus", "healthcheck"]
ENTRYPOINT ["roombus"]
CMD ["serve"]
