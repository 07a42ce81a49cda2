#pragma once

#include <functional>
#include <string>

#include "adapters/http/http_types.hpp"
#include "core/metrics.hpp"

namespace roombus::http {

/// For operators: `/healthz` (the loop runs: 200), `/readyz` (200, or 503 and a reason) and `/metrics`
/// (Prometheus text 0.0.4). To be routed at these three paths.
class status_handler final : public handler {
 public:
  /// `trouble` says why requests cannot be served now, for people, or nothing when they can.
  status_handler(const metrics_registry& metrics, std::function<std::string()> trouble);
  void on_request(request req, std::shared_ptr<responder> answer) override;

 private:
  const metrics_registry& metrics_;
  std::function<std::string()> trouble_;
};

}  // namespace roombus::http
