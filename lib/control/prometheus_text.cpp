#include "control/prometheus_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace outpost::control {
namespace {

using base::metrics::Kind;
using base::metrics::Sample;
using base::metrics::Snapshot;
using prometheus::ClientMetric;
using prometheus::MetricType;

MetricType type_of(Kind kind) {
    switch (kind) {
        case Kind::counter: return MetricType::Counter;
        case Kind::gauge: return MetricType::Gauge;
        case Kind::histogram: break;
    }
    return MetricType::Histogram;
}

ClientMetric::Histogram histogram_of(const Snapshot& family, const Sample& sample) {
    ClientMetric::Histogram histogram;
    histogram.sample_sum = sample.histogram.sum;
    for (std::size_t i = 0; i < sample.histogram.counts.size(); ++i) {
        histogram.sample_count += sample.histogram.counts[i];
        const bool last = i == family.bounds.size();
        histogram.bucket.push_back(
            {.cumulative_count = histogram.sample_count,
             .upper_bound = last ? std::numeric_limits<double>::infinity() : family.bounds[i]});
    }
    return histogram;
}

ClientMetric metric_of(const Snapshot& family, const Sample& sample) {
    ClientMetric metric;
    for (std::size_t i = 0; i < family.label_names.size(); ++i)
        metric.label.push_back({.name = family.label_names[i], .value = sample.labels[i]});
    metric.counter.value = metric.gauge.value = sample.value;
    if (family.kind == Kind::histogram) metric.histogram = histogram_of(family, sample);
    return metric;
}

}  // namespace

std::string prometheus_text(std::vector<Snapshot> families) {
    std::ranges::sort(families, {}, &Snapshot::name);
    std::vector<prometheus::MetricFamily> all;
    for (const Snapshot& family : families) {
        prometheus::MetricFamily& out = all.emplace_back();
        out.name = family.name;
        out.help = family.help;
        out.type = type_of(family.kind);
        for (const Sample& sample : family.samples) out.metric.push_back(metric_of(family, sample));
    }
    return prometheus::TextSerializer().Serialize(all);
}

Response prometheus_response(std::vector<Snapshot> families) {
    return {.status = 200,
            .content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = prometheus_text(std::move(families))};
}

}  // namespace outpost::control
