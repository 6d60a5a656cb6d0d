// SPDX-License-Identifier: Apache-2.0
// sftp.
#include <qconn/ssh/sftp_client.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "schemes/convert.hpp"
#include "schemes/file_operations.hpp"
#include "schemes/schemes.hpp"
#include "schemes/ssh_options.hpp"

namespace qconn::schemes {
namespace {

/// And where on the server it is.
struct SftpSchemeOptions : SshOptions {
    std::string path;
    std::string path_add;
    std::uint64_t max_read{SftpOptions{}.max_read};
    std::chrono::milliseconds timeout{SftpOptions{}.timeout};
    std::size_t channels{SftpOptions{}.channels};
};

const OptionTable<SftpSchemeOptions>& sftp_table() {
    static const OptionTable<SftpSchemeOptions> options = [] {
        OptionTable<SftpSchemeOptions> all;
        {
            OptionSpec& spec =
                all.add("path", &SftpSchemeOptions::path, OptionType::string, "The directory on the server, in place of the URL's path");
            spec.fallback_text = "the URL's path; without one the directory that the log-in leads to";
            spec.example = "/outgoing";
        }
        {
            OptionSpec& spec = all.add("path_add", &SftpSchemeOptions::path_add, OptionType::string, "Joined to the directory with one '/'");
            spec.example = "invoices";
        }
        {
            OptionSpec& spec = all.add("max_read_size", &SftpSchemeOptions::max_read, OptionType::integer, "Largest file that is read into memory");
            spec.unit = Unit::bytes;
            spec.fallback = static_cast<unsigned long long>(SftpOptions{}.max_read);
            spec.minimum = 0;
            spec.example = 1'000'000;
        }
        {
            OptionSpec& spec = all.add("timeout", OptionType::integer, "Longest silence of the server, not the time of a whole call; 0: no limit",
                                       [](SftpSchemeOptions& o, const Value& v) { o.timeout = std::chrono::milliseconds{v.as_int64()}; });
            spec.unit = Unit::milliseconds;
            spec.fallback = static_cast<long long>(SftpOptions{}.timeout.count());
            spec.minimum = 0;
            spec.maximum = 86'400'000;
            spec.example = 10'000;
        }
        {
            OptionSpec& spec = all.add("channels", OptionType::integer,
                                       "Channels of the session that large transfers at once may be spread over; 1: for servers that allow no other",
                                       [](SftpSchemeOptions& o, const Value& v) { o.channels = static_cast<std::size_t>(v.as_int64()); });
            spec.fallback = static_cast<long long>(SftpOptions{}.channels);
            spec.minimum = 1;
            spec.maximum = 10;
            spec.example = 1;
        }
        add_ssh_options(all);
        return all;
    }();
    return options;
}

SftpSchemeOptions sftp_scheme_options_of(const ResolvedDefinition& definition) {
    SftpSchemeOptions options;
    options.path = definition.url.path;
    sftp_table().apply(definition.options, options);
    set_ssh_address(options, definition);
    if (!options.path_add.empty()) {
        while (options.path.ends_with('/')) options.path.pop_back();
        options.path += (options.path_add.starts_with('/') ? "" : "/") + options.path_add;
    }
    return options;
}

SftpOptions sftp_options_of(const ResolvedDefinition& definition) {
    SftpSchemeOptions given = sftp_scheme_options_of(definition);
    SftpOptions options;
    options.label = given.label;
    options.path = std::move(given.path);
    options.max_read = given.max_read;
    options.timeout = given.timeout;
    options.channels = given.channels;
    options.ssh = std::move(given);
    return options;
}

/// The log-in, and the directory.
PingEvidence look(SftpClient& client, Deadline deadline) {
    PingEvidence evidence = ssh_evidence(client.connect(deadline));
    client.check(deadline);
    evidence.text +=
        "; " + (client.options().path.empty() ? std::string{"the directory"} : text::printable(client.options().path)) + " can be entered";
    return evidence;
}

}  // namespace

Scheme sftp_scheme() {
    Scheme scheme = ssh_kind(
        "sftp", sftp_table().specs(), [](const ResolvedDefinition& definition) -> SshOptions { return sftp_scheme_options_of(definition); }, "sftp");
    scheme.title = "SFTP";
    scheme.help =
        "Files on another machine by SFTP. A ping logs in and looks whether the directory is there; while it is watched the session is kept for the "
        "next "
        "one. Depth connect only asks for the greeting, auth only logs in.";
    scheme.example_url = "sftp://edi@files.example.com/outgoing";
    scheme.clients = client_types<SftpClient, FileTransferClient>({"SftpClient", "FileTransferClient"});
    scheme.operations = file_operations();
    scheme.operations.push_back(
        ssh_session_operation([](Client& client, Deadline deadline) { return dynamic_cast<SftpClient&>(client).connect(deadline); }));
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) -> std::shared_ptr<Client> {
        return std::make_shared<SftpClient>(sftp_options_of(definition), runtime);
    };
    scheme.make_ping = [without_files = std::move(scheme.make_ping)](const ResolvedDefinition& definition, PingDepth depth,
                                                                     const Runtime& runtime) -> PingPlan {
        if (depth == PingDepth::standard) {
            const auto kept = std::make_shared<SftpClient>(sftp_options_of(definition), runtime);
            return BlockingPing{[kept](Deadline deadline) { return look(*kept, deadline); }};
        }
        if (depth != PingDepth::full) return without_files(definition, depth, runtime);
        return BlockingPing{[options = sftp_options_of(definition), runtime](Deadline deadline) {
            SftpClient fresh{options, runtime};
            return look(fresh, deadline);
        }};
    };
    return scheme;
}

}  // namespace qconn::schemes
