using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Shop.Messaging.DeadLetters;
using Shop.Messaging.Operations;
using Shop.Messaging.Relay;
using Shop.ServiceDefaults.Authentication;

namespace Shop.Messaging;

/// <summary>The operators' side of a service's messaging.</summary>
public static class MessagingEndpoints
{
    /// <summary>
    /// Maps <c>/api/ops/{service}/dead-letters</c> (what could not be handled), <c>/refused-events</c> (what could not be
    /// published) and <c>/flow</c> (what is produced, consumed and waits): for operators.
    /// </summary>
    public static RouteGroupBuilder MapMessaging(this IEndpointRouteBuilder routes, string serviceName)
    {
        var operations = routes.MapGroup($"/api/ops/{serviceName}").RequireAuthorization(Policies.Operator);
        operations.MapDeadLetters();
        operations.MapRefusedEvents();
        operations.MapFlow();
        return operations;
    }
}
