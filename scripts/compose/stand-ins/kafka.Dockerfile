# Stands in for apache/kafka: the jars of Maven Central, Debian's Java, and Kafka's own wrapper for its image, which makes
# the settings from KAFKA_… variables and formats the storage.
FROM stand-in/debian:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --user-group --create-home appuser \
 && mkdir -p /opt/kafka/config /etc/kafka/docker /etc/kafka/secrets /mnt/shared/config /var/lib/kafka/data \
 && chown -R appuser /opt/kafka /etc/kafka /mnt/shared/config /var/lib/kafka
COPY libs /opt/kafka/libs
COPY run server.properties log4j2.yaml tools-log4j2.yaml /etc/kafka/docker/
USER appuser
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["bash", "/etc/kafka/docker/run"]
