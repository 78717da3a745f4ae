# The image of all three processes: `parcours migrate`, `parcours serve`, `parcours worker`.
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 parcours
WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# Libraries first: they change less often than the code.
COPY pyproject.toml constraints.txt README.md ./
RUN python -c "import tomllib; print('\n'.join(tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies']))" > /tmp/wanted \
    && pip install -r /tmp/wanted -c constraints.txt && rm /tmp/wanted
COPY . .
RUN pip install --no-deps -e . && install -d -o parcours /data

USER parcours
ENV PARCOURS_DATA=/data PARCOURS_HOST=0.0.0.0 PARCOURS_LOG_FORMAT=json
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["parcours", "serve"]
