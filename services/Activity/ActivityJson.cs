using System.Text.Json.Serialization;
using Shop.Activity.ReadingEvents;

namespace Shop.Activity;

/// <summary>Source-generated JSON of the service's API.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyList<TimelineEvent>))]
[JsonSerializable(typeof(FeedPage))]
internal sealed partial class ActivityJson : JsonSerializerContext;
