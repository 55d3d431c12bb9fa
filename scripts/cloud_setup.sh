#!/usr/bin/env bash
# Sets up a Google Cloud project for quickdraw: APIs, bucket, image registry, roles; checks quota.
#
#   scripts/cloud_setup.sh --project=PROJECT --bucket=BUCKET [--region=us-central1]
#     [--account=NAME]         also a service account NAME for the jobs, with roles on the bucket
#     [--member=group:ADDRESS] also the roles that somebody who submits needs; user:ADDRESS for one
#     [--skip=STEP,STEP]       steps: project apis bucket registry roles quota
#     [--dry_run]              print the gcloud commands, run none
#
# Safe to repeat: what is there already is left as it is. Billing must be enabled for the project.
set -euo pipefail

project='' bucket='' region=us-central1 account='' member='' skip=, dry_run=
for argument in "$@"; do
  case $argument in
    --project=*) project=${argument#*=} ;;
    --bucket=*) bucket=${argument#*=} ;;
    --region=*) region=${argument#*=} ;;
    --account=*) account=${argument#*=} ;;
    --member=*) member=${argument#*=} ;;
    --skip=*) skip=,${argument#*=}, ;;
    --dry_run) dry_run=yes ;;
    --help | -h) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit ;;
    *) echo "unknown argument: $argument (see --help)" >&2; exit 2 ;;
  esac
done
if [ -z "$project" ] || [ -z "$bucket" ]; then
  echo "--project and --bucket are needed (see --help)" >&2
  exit 2
fi
for name in ${skip//,/ }; do
  case $name in
    project | apis | bucket | registry | roles | quota) ;;
    *) echo "--skip: no such step: $name (see --help)" >&2; exit 2 ;;
  esac
done
if [ -z "$dry_run" ] && ! command -v gcloud >/dev/null; then
  echo "gcloud is not installed: https://cloud.google.com/sdk/docs/install" >&2
  exit 1
fi

run() {
  printf '%q ' "$@"
  echo
  if [ -z "$dry_run" ]; then "$@"; fi
}

# Runs what makes a thing, unless the command before `--` finds it.
unless_there() {
  local find=()
  while [ "$1" != -- ]; do find+=("$1"); shift; done
  shift
  if [ -z "$dry_run" ] && "${find[@]}" >/dev/null 2>&1; then
    echo "there already: ${find[*]}"
  else
    run "$@"
  fi
}

step() {
  case $skip in *,$1,*) echo "== $1: skipped"; return 1 ;; esac
  echo "== $1"
}

if step project; then
  run gcloud projects describe "$project" --format='value(projectId)'
fi
if step apis; then
  run gcloud services enable aiplatform.googleapis.com storage.googleapis.com \
    artifactregistry.googleapis.com cloudbuild.googleapis.com cloudquotas.googleapis.com \
    --project="$project"
fi
if step bucket; then
  unless_there gcloud storage buckets describe "gs://$bucket" -- \
    gcloud storage buckets create "gs://$bucket" --project="$project" --location="$region" \
    --uniform-bucket-level-access
fi
if step registry; then
  unless_there gcloud artifacts repositories describe quickdraw --location="$region" \
    --project="$project" -- \
    gcloud artifacts repositories create quickdraw --repository-format=docker \
    --location="$region" --project="$project"
fi
# Lets a member use the bucket and Vertex AI.
grant() {
  run gcloud storage buckets add-iam-policy-binding "gs://$bucket" --member="$1" \
    --role=roles/storage.objectAdmin
  run gcloud projects add-iam-policy-binding "$project" --condition=None --member="$1" \
    --role=roles/aiplatform.user
}

if step roles; then
  email=$account@$project.iam.gserviceaccount.com
  if [ -n "$account" ]; then
    unless_there gcloud iam service-accounts describe "$email" --project="$project" -- \
      gcloud iam service-accounts create "$account" --project="$project"
    grant "serviceAccount:$email"
  fi
  if [ -n "$member" ]; then grant "$member"; fi
  if [ -n "$account" ] && [ -n "$member" ]; then
    run gcloud iam service-accounts add-iam-policy-binding "$email" --project="$project" \
      --member="$member" --role=roles/iam.serviceAccountUser
  fi
fi
if step quota; then
  echo "GPUs that jobs may use in $region (a new project has none; ask in the console, IAM > Quotas):"
  run gcloud beta quotas info list --service=aiplatform.googleapis.com --project="$project" \
    --flatten=dimensionsInfos \
    --filter="metric~custom_model_training_.*gpus AND dimensionsInfos.applicableLocations:$region" \
    --format='value(metric.basename(),dimensionsInfos.details.value)' ||
    echo "the quota cannot be read: look into the console"
fi
cat <<END

Next, the image for the jobs (about ten minutes, once):
  gcloud builds submit --project=$project --region=$region --config=cloud/cloudbuild.yaml --substitutions=_REGION=$region .
END
