# Stands in for postgres:<version>-bookworm: the server of the npm registry's binaries, Debian's client programs, and the
# variables that the composed system uses.
FROM stand-in/debian:bookworm
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client-15 >/dev/null \
 && rm -rf /var/lib/apt/lists/*
COPY native /usr/local/pgsql
COPY docker-entrypoint.sh /usr/local/bin/
# initdb asks for a locale and for the time zones that it brings along.
ENV PATH=/usr/local/pgsql/bin:/usr/lib/postgresql/15/bin:$PATH LANG=C.UTF-8 PGDATA=/var/lib/postgresql/18/docker
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
 && mkdir -p /var/lib/postgresql /var/run/postgresql && chown postgres:postgres /var/lib/postgresql /var/run/postgresql \
 && chmod -R a+rX /usr/local/pgsql && chmod 755 /usr/local/pgsql/bin/*
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
ENTRYPOINT ["bash", "/usr/local/bin/docker-entrypoint.sh"]
