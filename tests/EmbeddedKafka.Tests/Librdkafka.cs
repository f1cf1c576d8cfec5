using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Shop.KafkaBroker.Tests;

/// <summary>Lets Confluent.Kafka find the system's librdkafka where NuGet's is not used (see LeafReferences.targets).</summary>
internal static class Librdkafka
{
    [ModuleInitializer]
    internal static void Resolve() => NativeLibrary.SetDllImportResolver(typeof(Message<,>).Assembly, static (name, _, _) =>
        name == "librdkafka" && NativeLibrary.TryLoad("librdkafka.so.1", out var library) ? library : 0);
}
