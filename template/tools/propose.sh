#!/usr/bin/env bash
# Push an update that is not committed yet to a branch of its own, for continuous integration:
#   propose.sh REMOTE REPORT [OPTION OF GIT PUSH …]
# In an option, %s stands for the title. Nothing is pushed where the branch has the same already,
# or somebody else's commit, which would be lost.
set -euo pipefail
remote=$1 report=$2 branch=refs/heads/template-update
shift 2
# What a hook of git sets, which would lead to its repository; not the settings of git.
unset $(git rev-parse --local-env-vars | grep -v ^GIT_CONFIG)
export GIT_AUTHOR_NAME="Template update" GIT_AUTHOR_EMAIL=template-update@noreply.invalid
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

title="Update from the template"
test -z "$(git ls-files --unmerged)" || title="Conflicts, do not merge: update from the template"
git add --all
if git diff --cached --quiet; then
    echo "there is nothing new"
    exit
fi
tree=$(git write-tree)

before=$(git ls-remote "$remote" "$branch" | cut -f 1)
if test -n "$before"; then
    git fetch --quiet "$remote" "$branch"
    strangers=$(git log --format=%ae HEAD..FETCH_HEAD | grep -vx "$GIT_AUTHOR_EMAIL" || true)
    if test -n "$strangers"; then
        echo "somebody has committed to $branch: merge or delete it, and this job goes on"
        exit
    fi
    if test "$tree" = "$(git rev-parse "FETCH_HEAD^{tree}")"; then
        echo "$branch has it already"
        exit
    fi
fi

{ echo "$title"; echo; cat "$report"; } | git commit --quiet --no-verify --file -
git push --force-with-lease="$branch:$before" "${@//%s/$title}" "$remote" "HEAD:$branch"
