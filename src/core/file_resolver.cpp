// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/file_resolver.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "core/whole_file.hpp"

namespace qconn {

namespace {

constexpr std::string_view k_name = "FILE-REFERENCE-ERROR";

[[noreturn]] void fail(std::string message, Reason reason) {
    throw Error{make_error_code(Errc::system), k_name, std::move(message)}.with_reason(reason);
}

std::string read_path(const FileRequest& request) {
    const std::string path = reference_path(request.reference, request.directory);
    std::string content;
    if (const int problem = core::read_whole_file(path, request.max_size, content, nullptr, request.deadline); problem != 0)
        fail("\"" + text::printable(path) + "\": " + core::file_problem(problem, request.max_size), core::file_reason(problem));
    return content;
}

std::string read_resource(ResourceSource& resources, const FileRequest& request) {
    std::string_view rest{request.reference};
    rest.remove_prefix(std::min(rest.find(':') + 1, rest.size()));
    while (rest.starts_with('/')) rest.remove_prefix(1);
    const auto colon = rest.find(':');
    if (colon == 0 || colon == std::string_view::npos || colon + 1 == rest.size())
        fail("it does not name a service and a resource; write resource://service:name", Reason::bad_value);
    auto content = resources.resource(rest.substr(0, colon), rest.substr(colon + 1), request.deadline);
    if (!content) fail("the program has no such resource", Reason::missing);
    return std::move(*content);
}

}  // namespace

ResourceSource::~ResourceSource() = default;

std::string reference_scheme(std::string_view reference) {
    std::size_t end = 0;
    while (end < reference.size() && (text::is_alpha(reference[end]) || (end > 0 && (text::is_digit(reference[end]) || reference[end] == '+'))))
        ++end;
    if (end < 2 || end == reference.size() || reference[end] != ':') return {};
    const std::string scheme = text::to_lower(reference.substr(0, end));
    // Only of `file:` a path may follow: a name with a colon in it is a path.
    return scheme == "file" || reference.substr(end).starts_with("://") ? scheme : std::string{};
}

std::string reference_path(std::string_view reference, std::string_view directory) {
    std::string path{reference};
    if (reference_scheme(reference) == "file") {
        std::string_view rest = reference.substr(5);
        if (rest.starts_with("//")) {
            rest.remove_prefix(2);
            if (rest.starts_with("localhost/")) rest.remove_prefix(9);
        }
        path = percent_decode(rest);
    }
    if (!path.starts_with('/') && !directory.empty()) path = std::string{directory} + (directory.ends_with('/') ? "" : "/") + path;
    return path;
}

FileResolver::FileResolver(FileLimits limits) : limits_{limits} { add("file", {"as a file", read_path}); }

void FileResolver::add(std::string scheme, FileWay way) {
    const auto place =
        std::lower_bound(ways_.begin(), ways_.end(), scheme, [](const Known& known, const std::string& name) { return known.scheme < name; });
    if (place != ways_.end() && place->scheme == scheme)
        place->way = std::move(way);
    else
        ways_.insert(place, {std::move(scheme), std::move(way)});
}

void FileResolver::add_resources(std::shared_ptr<ResourceSource> resources) {
    add("resource", {"from the program's resources",
                     [resources = std::move(resources)](const FileRequest& request) { return read_resource(*resources, request); }});
}

std::vector<std::string> FileResolver::schemes() const {
    std::vector<std::string> out;
    for (const Known& known : ways_)
        if (known.scheme != "file") out.push_back(known.scheme);
    return out;
}

std::string FileResolver::read(const std::string& reference, std::string_view directory, Deadline deadline) const {
    const std::string scheme = reference_scheme(reference);
    const std::string shown = "reading \"" + text::shorten(text::printable(mask_url(reference)), 300) + "\"";
    const std::string wanted = scheme.empty() ? "file" : scheme;
    const auto known = std::find_if(ways_.begin(), ways_.end(), [&](const Known& one) { return one.scheme == wanted; });
    if (known == ways_.end()) {
        const auto others = schemes();
        fail(shown + " failed: there is no way to read '" + scheme +
                 ":'; a file can be named by its path, by file:" + (others.empty() ? std::string{} : " or by " + text::join(others, ":, ") + ":"),
             Reason::unsupported);
    }
    const std::string tried = shown + " " + known->way.words + " failed: ";
    FileRequest request{reference, std::string{directory}, limits_.max_size, earlier(deadline, Deadline{limits_.timeout})};
    try {
        if (request.deadline.has_passed()) fail("the time for it was over", Reason::timeout);
        std::string content = known->way.read(request);
        if (content.size() > limits_.max_size) fail("it is larger than " + std::to_string(limits_.max_size) + " bytes", Reason::limit);
        return content;
    } catch (const Error& error) {
        throw Error{error.code(), k_name, tried + std::string{error.message()}}
            .with_phase(error.phase())
            .with_reason(error.reason())
            .with_retryable(error.retryable());
    } catch (const std::exception& error) { fail(tried + error.what(), Reason::local); }
}

}  // namespace qconn
