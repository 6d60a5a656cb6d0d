// SPDX-License-Identifier: Apache-2.0
#include "net/job.hpp"

#include "base/text.hpp"

namespace qconn::net {

std::string Job::failed(std::string_view what) const {
    std::string text = verb;
    if (!subject.empty()) text += " \"" + text::printable(subject) + '"';
    if (!target.empty()) text += " to \"" + text::printable(target) + '"';
    text += " at " + server + " failed: ";
    text += what;
    return text;
}

Error in_job(const Job& job, Error error) {
    error.with_prefix(job.failed({}));
    if (error.connection().empty() && !job.label.empty()) error.with_connection(job.label);
    return error;
}

}  // namespace qconn::net
