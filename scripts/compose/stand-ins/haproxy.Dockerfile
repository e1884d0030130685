# Stands in for haproxy: Debian's, with the public image's user.
FROM stand-in/debian:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends haproxy >/dev/null && rm -rf /var/lib/apt/lists/* \
 && (getent group 99 >/dev/null || groupadd --gid 99 proxy99) && (getent passwd 99 >/dev/null || useradd --uid 99 --gid 99 proxy99)
USER 99
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
